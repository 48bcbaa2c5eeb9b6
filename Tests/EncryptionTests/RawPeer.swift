import COpenSSL
import Encryption
import Fixtures
import Links
import Units

/// A peer straight on OpenSSL, with settings of which ours would have none.
final class RawPeer {
  struct Settings {
    var role = SessionRole.client
    var carrier = Carrier.datagram
    /// Versions, by OpenSSL's numbers; 0 leaves the limit open.
    var versions = (minimum: 0, maximum: 0)
    var options: UInt64 = 0
    var ciphers: String?
    var groups: String?
    var hasCertificate = true
    /// RSA of so many bits; P-256 when 0.
    var keyBits = 0
  }

  private let context: OpaquePointer
  private let ssl: OpaquePointer
  private let input = BIO_new(BIO_s_mem())!
  private let output = BIO_new(BIO_s_mem())!
  private(set) var isEstablished = false

  init(_ settings: Settings) throws {
    let context = SSL_CTX_new(settings.carrier == .datagram ? DTLS_method() : TLS_method())!
    SSL_CTX_set_security_level(context, 0)
    _ = p2p_SSL_CTX_set_min_proto_version(context, Int32(settings.versions.minimum))
    _ = p2p_SSL_CTX_set_max_proto_version(context, Int32(settings.versions.maximum))
    SSL_CTX_set_options(context, settings.options | p2p_SSL_OP_NO_QUERY_MTU)
    if settings.carrier == .datagram, settings.role == .server {
      SSL_CTX_set_options(context, p2p_SSL_OP_COOKIE_EXCHANGE)
      SSL_CTX_set_cookie_generate_cb(context) { _, bytes, count in
        bytes?.update(repeating: 7, count: 16)
        count?.pointee = 16
        return 1
      }
      SSL_CTX_set_cookie_verify_cb(context) { _, bytes, count in
        count == 16 && bytes?.pointee == 7 ? 1 : 0
      }
    }
    if let ciphers = settings.ciphers { SSL_CTX_set_cipher_list(context, ciphers) }
    if let groups = settings.groups { _ = p2p_SSL_CTX_set1_groups_list(context, groups) }
    if settings.hasCertificate {
      let issued = TestAuthority().issue(.init(usage: nil, keyBits: settings.keyBits))
      let read = { (pem: [UInt8], body: (OpaquePointer) -> Void) in
        let memory = BIO_new_mem_buf(pem, Int32(pem.count))!
        body(memory)
        BIO_free(memory)
      }
      read(issued.certificate) {
        let certificate = PEM_read_bio_X509($0, nil, nil, nil)
        SSL_CTX_use_certificate(context, certificate)
        X509_free(certificate)
      }
      read(issued.key) {
        let key = PEM_read_bio_PrivateKey($0, nil, nil, nil)
        SSL_CTX_use_PrivateKey(context, key)
        EVP_PKEY_free(key)
      }
    }
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER) { _, _ in 1 }
    self.context = context
    ssl = SSL_new(context)!
    SSL_set_bio(ssl, input, output)
    _ = p2p_SSL_set_mtu(ssl, 1_200)
    if settings.role == .client { SSL_set_connect_state(ssl) } else { SSL_set_accept_state(ssl) }
  }

  deinit {
    SSL_free(ssl)
    SSL_CTX_free(context)
  }

  /// Runs the handshake against `session` until nothing moves; what the session told.
  func meet(_ session: any SecureSession) -> [SessionPair.Event] {
    var events: [SessionPair.Event] = []
    session.start(at: .zero)
    for _ in 0..<50 {
      ERR_clear_error()
      if !isEstablished { isEstablished = SSL_do_handshake(ssl) == 1 }
      var scratch = [UInt8](repeating: 0, count: 2_048)
      if isEstablished { _ = SSL_read(ssl, &scratch, 2_048) }
      ERR_clear_error()
      var start: UnsafeMutablePointer<CChar>?
      let count = p2p_BIO_get_mem_data(output, &start)
      if count > 0 {
        let flight = Array(UnsafeRawBufferPointer(start: start, count: count))
        _ = BIO_ctrl(output, BIO_CTRL_RESET, 0, nil)
        session.receive(flight, at: .zero)
      }
      var moved = count > 0
      while let output = session.nextOutput() {
        moved = true
        switch output {
        case .transmit(let bytes): BIO_write(input, bytes, Int32(bytes.count))
        case .established: events.append(.established)
        case .received(let bytes): events.append(.received(bytes))
        case .closed: events.append(.closed)
        case .failed(let failure): events.append(.failed(failure))
        }
      }
      if !moved { break }
    }
    ERR_clear_error()
    return events
  }
}
