import COpenSSL
import Links

/// An SSL_CTX with the rules of docs/protocol.md "Peer link" and "Client and server"; configured
/// once, then shared by all of its sessions on any thread.
final class SecureContext: @unchecked Sendable {
  let pointer: OpaquePointer
  let carrier: Carrier

  init(
    _ carrier: Carrier, chain: [Certificate], key: PrivateKey, releasesBuffers: Bool = false,
    cookieSecret: [UInt8] = []
  ) {
    self.carrier = carrier
    self.cookieSecret = cookieSecret
    ErrorQueue.clear()
    pointer = SSL_CTX_new(carrier == .datagram ? DTLS_method() : TLS_method())!
    var isDone: Bool
    switch carrier {
    case .stream:
      isDone =
        p2p_SSL_CTX_set_min_proto_version(pointer, TLS1_3_VERSION) == 1
        && p2p_SSL_CTX_set_max_proto_version(pointer, TLS1_3_VERSION) == 1
    case .datagram:
      isDone =
        p2p_SSL_CTX_set_min_proto_version(pointer, DTLS1_2_VERSION) == 1
        && p2p_SSL_CTX_set_max_proto_version(pointer, DTLS1_2_VERSION) == 1
        && SSL_CTX_set_cipher_list(pointer, Self.datagramCiphers) == 1
        && p2p_SSL_CTX_set1_sigalgs_list(pointer, "ECDSA+SHA256") == 1
    }
    isDone = isDone && p2p_SSL_CTX_set1_groups_list(pointer, "X25519:P-256") == 1
    isDone = isDone && SSL_CTX_use_certificate(pointer, chain[0].pointer) == 1
    isDone = isDone && SSL_CTX_use_PrivateKey(pointer, key.pointer) == 1
    isDone = isDone && SSL_CTX_check_private_key(pointer) == 1
    if chain.count > 1 {
      let stack = p2p_sk_X509_new()!
      for certificate in chain.dropFirst() { _ = p2p_sk_X509_push(stack, certificate.pointer) }
      isDone = isDone && p2p_SSL_CTX_set1_chain(pointer, stack) == 1
      p2p_sk_X509_free(stack)
    }
    var options = p2p_SSL_OP_CIPHER_SERVER_PREFERENCE
    if carrier == .datagram {
      options |= p2p_SSL_OP_NO_QUERY_MTU | p2p_SSL_OP_COOKIE_EXCHANGE
      setCookies()
    }
    if releasesBuffers { _ = p2p_SSL_CTX_set_mode(pointer, p2p_SSL_MODE_RELEASE_BUFFERS) }
    isDone = setCommonRules(options) && isDone
    precondition(isDone, "OpenSSL refuses its settings: \(ErrorQueue.drain())")
  }

  /// For a client without a certificate, to relays: servers that others run, under rules of their own.
  /// Debian 12's coturn speaks TLS 1.2 at most.
  init(relayClient: Void) {
    carrier = .stream
    cookieSecret = []
    ErrorQueue.clear()
    pointer = SSL_CTX_new(TLS_client_method())!
    // No SHA-1, no RSA below 2 048 bits.
    SSL_CTX_set_security_level(pointer, 2)
    var isDone = p2p_SSL_CTX_set_min_proto_version(pointer, TLS1_2_VERSION) == 1
    isDone = isDone && SSL_CTX_set_cipher_list(pointer, Self.relayCiphers) == 1
    isDone = isDone && p2p_SSL_CTX_set1_groups_list(pointer, "X25519:P-256:P-384") == 1
    isDone = setCommonRules(0) && isDone
    precondition(isDone, "OpenSSL refuses its settings: \(ErrorQueue.drain())")
  }

  deinit { SSL_CTX_free(pointer) }

  private func setCommonRules(_ options: UInt64) -> Bool {
    // No resumption of any kind: no cache, no tickets (the option alone leaves TLS 1.3's), so no
    // early data either.
    _ = p2p_SSL_CTX_disable_session_cache(pointer)
    SSL_CTX_set_options(
      pointer,
      options | p2p_SSL_OP_NO_TICKET | p2p_SSL_OP_NO_COMPRESSION | p2p_SSL_OP_NO_RENEGOTIATION)
    // A chain of a few certificates; the default of 100 KiB is for strangers to fill.
    p2p_SSL_CTX_set_max_cert_list(pointer, 16 * 1024)
    SSL_CTX_set_verify(pointer, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
    SSL_CTX_set_cert_verify_callback(
      pointer,
      { store, _ in
        guard let store, let connection = SSLConnection.verifying(store) else { return 0 }
        return connection.judge(store) ? 1 : 0
      }, nil)
    return SSL_CTX_set_num_tickets(pointer, 0) == 1
  }

  /// Forward secret and with authenticated encryption, whatever the certificate's key.
  private static let relayCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20"

  /// Forward secret, authenticated by ECDSA, with authenticated encryption.
  private static let datagramCiphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305"

  // MARK: DTLS cookies (RFC 6347 §4.2.1)

  private let cookieSecret: [UInt8]

  /// Bound to this process and to the peer that is expected: valid across the SSL objects that
  /// are tried one after the other on a pair, unknown to whoever can only send.
  func cookie(for rules: PeerRules) -> [UInt8] {
    OpenSSLCipherSuite().hmacSHA256(key: cookieSecret, rules.expectedKeyHash ?? [])
  }

  private func setCookies() {
    SSL_CTX_set_cookie_generate_cb(pointer) { ssl, bytes, count in
      guard let ssl, let bytes, let count else { return 0 }
      let cookie = SSLConnection.owner(of: ssl).cookie
      bytes.update(from: cookie, count: cookie.count)
      count.pointee = UInt32(cookie.count)
      return 1
    }
    SSL_CTX_set_cookie_verify_cb(pointer) { ssl, bytes, count in
      guard let ssl else { return 0 }
      let received = Array(UnsafeBufferPointer(start: bytes, count: Int(count)))
      return OpenSSLCipherSuite().equal(received, SSLConnection.owner(of: ssl).cookie) ? 1 : 0
    }
  }
}
