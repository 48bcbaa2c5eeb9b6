package import Rooms

/// A rendezvous server's key and certificates: self-made, or from files of any CA and key kind.
package struct ServerCertificate: Sendable {
  let key: PrivateKey
  /// Leaf first.
  let chain: [Certificate]

  /// A new P-256 key with a nameless certificate, for clients that go by its pin.
  package static func generate() -> ServerCertificate {
    let key = PrivateKey()
    return ServerCertificate(key: key, chain: [Certificate(selfSignedBy: key)])
  }

  /// What `pem` wrote.
  package init(pem: [UInt8]) throws(CertificateError) {
    try self.init(certificatePEM: pem, keyPEM: pem)
  }

  /// A certificate chain, leaf first, and its key (`--cert`, `--key`).
  package init(certificatePEM: [UInt8], keyPEM: [UInt8]) throws(CertificateError) {
    chain = Certificate.all(inPEM: certificatePEM)
    guard let leaf = chain.first else { throw .noCertificate }
    key = try PrivateKey(pem: keyPEM)
    guard leaf.publicKeyInfo == key.publicKeyInfo else { throw .keyMismatch }
  }

  private init(key: PrivateKey, chain: [Certificate]) {
    self.key = key
    self.chain = chain
  }

  /// For a file of mode 0600: the private key, then the certificates.
  package var pem: [UInt8] { key.pem + chain.flatMap(\.pem) }
  /// What clients may pin: SHA-256 of the leaf's SubjectPublicKeyInfo.
  package var pin: KeyFingerprint { KeyFingerprint(bytes: chain[0].keyHash)! }
}
