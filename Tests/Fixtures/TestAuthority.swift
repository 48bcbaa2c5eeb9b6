import COpenSSL

/// Issues certificates of any kind, the wrong ones included, that tools/mkcerts.sh refuses to.
package final class TestAuthority {
  package struct Leaf {
    package var usage: String?
    package var names: String
    /// Seconds from now.
    package var validity: ClosedRange<Int>
    package var isAuthority: Bool
    package var keyBits: Int  // RSA of so many bits; P-256 when 0
    package var hash: OpaquePointer?

    package init(
      usage: String? = "serverAuth", names: String = "DNS:call.example.org",
      validity: ClosedRange<Int> = -3_600...3_600, isAuthority: Bool = false, keyBits: Int = 0,
      hash: OpaquePointer? = nil
    ) {
      self.usage = usage
      self.names = names
      self.validity = validity
      self.isAuthority = isAuthority
      self.keyBits = keyBits
      self.hash = hash ?? EVP_sha256()
    }
  }

  private let key = TestAuthority.makeKey(bits: 0)
  private let certificate: OpaquePointer

  package init() {
    certificate = X509_new()
    Self.fill(
      certificate, key: key, issuer: nil, signedBy: key,
      Leaf(usage: nil, names: "", isAuthority: true))
  }
  deinit {
    X509_free(certificate)
    EVP_PKEY_free(key)
  }

  package var pem: [UInt8] { Self.pem { PEM_write_bio_X509($0, certificate) } }

  /// The leaf's chain and its key, in PEM.
  package func issue(_ leaf: Leaf) -> (certificate: [UInt8], key: [UInt8]) {
    let leafKey = Self.makeKey(bits: leaf.keyBits)
    defer { EVP_PKEY_free(leafKey) }
    let issued = X509_new()!
    defer { X509_free(issued) }
    Self.fill(issued, key: leafKey, issuer: certificate, signedBy: key, leaf)
    return (
      Self.pem { PEM_write_bio_X509($0, issued) },
      Self.pem { PEM_write_bio_PKCS8PrivateKey($0, leafKey, nil, nil, 0, nil, nil) }
    )
  }

  private static func makeKey(bits: Int) -> OpaquePointer {
    if bits == 0 { return p2p_generate_P256() }
    let context = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, nil)!
    defer { EVP_PKEY_CTX_free(context) }
    var key: OpaquePointer?
    precondition(
      EVP_PKEY_keygen_init(context) == 1
        && EVP_PKEY_CTX_set_rsa_keygen_bits(context, Int32(bits)) == 1
        && EVP_PKEY_keygen(context, &key) == 1)
    return key!
  }

  private static func fill(
    _ certificate: OpaquePointer, key: OpaquePointer, issuer: OpaquePointer?,
    signedBy: OpaquePointer, _ leaf: Leaf
  ) {
    X509_set_version(certificate, Int(X509_VERSION_3))
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), issuer == nil ? 1 : 2)
    X509_gmtime_adj(X509_getm_notBefore(certificate), leaf.validity.lowerBound)
    X509_gmtime_adj(X509_getm_notAfter(certificate), leaf.validity.upperBound)
    X509_set_pubkey(certificate, key)
    let name = X509_get_subject_name(certificate)
    X509_NAME_add_entry_by_txt(
      name, "CN", MBSTRING_UTF8, issuer == nil ? "CA" : "leaf", -1, -1, 0)
    X509_set_issuer_name(certificate, issuer.map { X509_get_subject_name($0) } ?? name)
    add(NID_basic_constraints, leaf.isAuthority ? "critical,CA:TRUE" : "critical,CA:FALSE")
    add(NID_key_usage, leaf.isAuthority ? "critical,keyCertSign" : "critical,digitalSignature")
    if let usage = leaf.usage { add(NID_ext_key_usage, usage) }
    if !leaf.names.isEmpty { add(NID_subject_alt_name, leaf.names) }
    precondition(X509_sign(certificate, signedBy, leaf.hash) > 0)

    func add(_ id: Int32, _ value: String) {
      let text = X509V3_EXT_conf_nid(nil, nil, id, value)!
      X509_add_ext(certificate, text, -1)
      X509_EXTENSION_free(text)
    }
  }

  private static func pem(_ write: (OpaquePointer) -> Int32) -> [UInt8] {
    let memory = BIO_new(BIO_s_mem())!
    defer { BIO_free(memory) }
    precondition(write(memory) == 1)
    var start: UnsafeMutablePointer<CChar>?
    let count = p2p_BIO_get_mem_data(memory, &start)
    return Array(UnsafeRawBufferPointer(start: start, count: count))
  }
}
