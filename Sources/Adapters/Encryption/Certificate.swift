import COpenSSL

/// Why a key or certificate file was refused.
package enum CertificateError: Error, Hashable, Sendable, CustomStringConvertible {
  case noKey
  case keyProtected
  case keyNotP256
  case noCertificate
  /// The first certificate is not for the key.
  case keyMismatch
  /// More certificates, or longer ones, than IDENTITY takes.
  case chainTooLong

  package var description: String {
    switch self {
    case .noKey: "it holds no private key in PEM form"
    case .keyProtected: "its private key is protected by a passphrase; store it without one"
    case .keyNotP256: "its private key is not of the kind P-256, which tools/mkcerts.sh makes"
    case .noCertificate: "it holds no certificate in PEM form"
    case .keyMismatch: "the first certificate does not belong to the private key"
    case .chainTooLong:
      "it holds more than \(P256Identity.chainLimit) certificates, or one of more than "
        + "\(P256Identity.certificateLimit) bytes; leave out all but yours and its issuers'"
    }
  }
}

/// An X.509 certificate in OpenSSL's hands; immutable once made.
final class Certificate: @unchecked Sendable {
  let pointer: OpaquePointer

  /// Takes over a reference.
  init(owning pointer: OpaquePointer) { self.pointer = pointer }

  /// `nil` unless the bytes are one whole certificate.
  init?(der: [UInt8]) {
    ErrorQueue.clear()
    let parsed = der.withUnsafeBufferPointer { buffer -> OpaquePointer? in
      var cursor = buffer.baseAddress
      guard let certificate = d2i_X509(nil, &cursor, buffer.count) else { return nil }
      if cursor == buffer.baseAddress.map({ $0 + buffer.count }) { return certificate }
      X509_free(certificate)
      return nil
    }
    ErrorQueue.clear()
    guard let parsed else { return nil }
    pointer = parsed
  }

  /// Nameless, signed by its own key, valid 2000–9999 (nobody checks these dates).
  init(selfSignedBy key: PrivateKey) {
    pointer = X509_new()!
    var serial: UInt64 = 0
    let random = OpenSSLCipherSuite().randomBytes(8)
    for byte in random { serial = serial << 8 | UInt64(byte) }
    let done =
      X509_set_version(pointer, Int(X509_VERSION_3)) == 1
      && ASN1_INTEGER_set_uint64(X509_get_serialNumber(pointer), serial >> 1 | 1) == 1
      && ASN1_TIME_set_string_X509(X509_getm_notBefore(pointer), "20000101000000Z") == 1
      && ASN1_TIME_set_string_X509(X509_getm_notAfter(pointer), "99991231235959Z") == 1
      && X509_set_pubkey(pointer, key.pointer) == 1
      && X509_sign(pointer, key.pointer, EVP_sha256()) > 0
    precondition(done, "no certificate: \(ErrorQueue.drain())")
  }

  /// All certificates of a PEM text in their order; other PEM parts are passed over.
  static func all(inPEM pem: [UInt8]) -> [Certificate] {
    ErrorQueue.clear()
    defer { ErrorQueue.clear() }
    return withReader(of: pem) { reader in
      var found: [Certificate] = []
      while let next = PEM_read_bio_X509(reader, nil, { _, _, _, _ in -1 }, nil) {
        found.append(Certificate(owning: next))
      }
      return found
    }
  }

  deinit { X509_free(pointer) }

  var der: [UInt8] { encodedDER { i2d_X509(pointer, $0) } }
  var pem: [UInt8] { writtenPEM { PEM_write_bio_X509($0, pointer) } }
  /// DER SubjectPublicKeyInfo as the certificate has it.
  var publicKeyInfo: [UInt8] {
    encodedDER { i2d_X509_PUBKEY(X509_get_X509_PUBKEY(pointer), $0) }
  }
  var keyHash: [UInt8] { OpenSSLCipherSuite().sha256(publicKeyInfo) }
}
