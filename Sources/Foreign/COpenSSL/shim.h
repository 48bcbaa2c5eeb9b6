#ifndef P2PCALL_COPENSSL_H
#define P2PCALL_COPENSSL_H

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

/* Macros and variadics, which Swift does not import, under their own names with a prefix. */

static inline EVP_PKEY *p2p_generate_P256(void) { return EVP_EC_gen("P-256"); }

static inline int p2p_ERR_GET_LIB(unsigned long code) { return ERR_GET_LIB(code); }
static inline int p2p_ERR_GET_REASON(unsigned long code) { return ERR_GET_REASON(code); }

static inline int p2p_SSL_CTX_set_min_proto_version(SSL_CTX *c, int version) {
  return (int)SSL_CTX_set_min_proto_version(c, version);
}
static inline int p2p_SSL_CTX_set_max_proto_version(SSL_CTX *c, int version) {
  return (int)SSL_CTX_set_max_proto_version(c, version);
}
static inline long p2p_SSL_CTX_set_mode(SSL_CTX *c, long mode) {
  return SSL_CTX_set_mode(c, mode);
}
static inline long p2p_SSL_CTX_disable_session_cache(SSL_CTX *c) {
  return SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
}
static inline int p2p_SSL_CTX_set1_groups_list(SSL_CTX *c, const char *list) {
  return (int)SSL_CTX_set1_groups_list(c, list);
}
static inline int p2p_SSL_CTX_set1_sigalgs_list(SSL_CTX *c, const char *list) {
  return (int)SSL_CTX_set1_sigalgs_list(c, list);
}
static inline void p2p_SSL_CTX_set_max_cert_list(SSL_CTX *c, long bytes) {
  SSL_CTX_set_max_cert_list(c, bytes);
}
static inline int p2p_SSL_CTX_set1_chain(SSL_CTX *c, STACK_OF(X509) *chain) {
  return (int)SSL_CTX_set1_chain(c, chain);
}
static inline int p2p_SSL_set1_chain(SSL *s, STACK_OF(X509) *chain) {
  return (int)SSL_set1_chain(s, chain);
}
static inline int p2p_SSL_set_tlsext_host_name(SSL *s, const char *name) {
  return (int)SSL_set_tlsext_host_name(s, name);
}
static inline long p2p_SSL_set_mtu(SSL *s, long mtu) { return SSL_set_mtu(s, mtu); }
static inline long p2p_SSL_get_extms_support(SSL *s) { return SSL_get_extms_support(s); }
static inline int p2p_SSL_set_app_data(SSL *s, void *data) { return SSL_set_app_data(s, data); }
static inline void *p2p_SSL_get_app_data(const SSL *s) { return SSL_get_app_data(s); }
/* Microseconds until the retransmission timer fires; -1 when it is not running. */
static inline long p2p_DTLSv1_get_timeout(SSL *s) {
  struct timeval left;
  if (!DTLSv1_get_timeout(s, &left)) return -1;
  return (long)left.tv_sec * 1000000 + (long)left.tv_usec;
}
static inline long p2p_DTLSv1_handle_timeout(SSL *s) { return DTLSv1_handle_timeout(s); }
static inline void p2p_BIO_set_retry_read(BIO *b) { BIO_set_retry_read(b); }
static inline void p2p_BIO_clear_retry_flags(BIO *b) { BIO_clear_retry_flags(b); }
static inline long p2p_BIO_get_mem_data(BIO *b, char **data) { return BIO_get_mem_data(b, data); }
static inline int p2p_sk_X509_num(const STACK_OF(X509) *stack) { return sk_X509_num(stack); }
static inline X509 *p2p_sk_X509_value(const STACK_OF(X509) *stack, int index) {
  return sk_X509_value(stack, index);
}
static inline STACK_OF(X509) *p2p_sk_X509_new(void) { return sk_X509_new_null(); }
static inline int p2p_sk_X509_push(STACK_OF(X509) *stack, X509 *x) {
  return sk_X509_push(stack, x);
}
/* The stack only; its certificates have owners of their own. */
static inline void p2p_sk_X509_free(STACK_OF(X509) *stack) { sk_X509_free(stack); }
static inline int p2p_sk_X509_NAME_num(const STACK_OF(X509_NAME) *stack) {
  return stack ? sk_X509_NAME_num(stack) : 0;
}
static inline const STACK_OF(X509_NAME) *p2p_peer_CA_names(const SSL *s) {
  return SSL_get0_peer_CA_list(s);
}
static inline void p2p_OPENSSL_free(void *p) { OPENSSL_free(p); }
/* The first subject alternative name of type URI, copied; NULL when there is none. */
static inline char *p2p_first_URI(X509 *x) {
  GENERAL_NAMES *names =
      (GENERAL_NAMES *)X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
  char *found = NULL;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names) && !found; i++) {
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
    if (name->type != GEN_URI) continue;
    int length = ASN1_STRING_length(name->d.ia5);
    const unsigned char *data = ASN1_STRING_get0_data(name->d.ia5);
    int whole = length >= 0;
    for (int k = 0; k < length; k++) whole = whole && data[k] != 0;
    if (whole) found = OPENSSL_strndup((const char *)data, (size_t)length);
  }
  GENERAL_NAMES_free(names);
  return found;
}

static const uint64_t p2p_SSL_OP_NO_QUERY_MTU = SSL_OP_NO_QUERY_MTU;
static const uint64_t p2p_SSL_OP_COOKIE_EXCHANGE = SSL_OP_COOKIE_EXCHANGE;
static const uint64_t p2p_SSL_OP_NO_TICKET = SSL_OP_NO_TICKET;
static const uint64_t p2p_SSL_OP_NO_COMPRESSION = SSL_OP_NO_COMPRESSION;
static const uint64_t p2p_SSL_OP_NO_RENEGOTIATION = SSL_OP_NO_RENEGOTIATION;
static const uint64_t p2p_SSL_OP_CIPHER_SERVER_PREFERENCE = SSL_OP_CIPHER_SERVER_PREFERENCE;
static const uint64_t p2p_SSL_OP_NO_EXTENDED_MASTER_SECRET = SSL_OP_NO_EXTENDED_MASTER_SECRET;
static const long p2p_SSL_MODE_RELEASE_BUFFERS = SSL_MODE_RELEASE_BUFFERS;

#endif
