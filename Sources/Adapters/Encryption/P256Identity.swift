import Ciphers

/// A P-256 key and its certificates: a person's or server's identity, or a link's passing one.
package struct P256Identity: IdentityKey {
  let key: PrivateKey
  /// Leaf first; just `nameless` unless a CA issued one.
  let certificates: [Certificate]
  /// What rendezvous servers without `--ca` get to see: the key and nothing else.
  let nameless: Certificate
  package let publicKeyInfo: [UInt8]

  /// Certificates, and bytes of each, that IDENTITY takes (docs/protocol.md, Peer link).
  static let chainLimit = 8
  static let certificateLimit = 4_096

  /// A new key with a self-made certificate.
  package static func generate() -> P256Identity {
    let key = PrivateKey()
    return P256Identity(key, [])
  }

  /// What `pem` wrote: a private key, with or without certificates after it.
  package init(pem: [UInt8]) throws(CertificateError) {
    try self.init(PrivateKey(pem: pem), checking: Certificate.all(inPEM: pem))
  }

  /// A key and its certificate chain from two files (`--cert`, `--key`).
  package init(certificatePEM: [UInt8], keyPEM: [UInt8]) throws(CertificateError) {
    let certificates = Certificate.all(inPEM: certificatePEM)
    if certificates.isEmpty { throw .noCertificate }
    try self.init(PrivateKey(pem: keyPEM), checking: certificates)
  }

  private init(_ key: PrivateKey, checking certificates: [Certificate]) throws(CertificateError) {
    guard P256.isPublicKeyInfo(key.publicKeyInfo) else { throw .keyNotP256 }
    if let leaf = certificates.first, leaf.publicKeyInfo != key.publicKeyInfo {
      throw .keyMismatch
    }
    // Peers would refuse it without a word.
    guard certificates.count <= Self.chainLimit,
      certificates.allSatisfy({ $0.der.count <= Self.certificateLimit })
    else { throw .chainTooLong }
    self.init(key, certificates)
  }

  private init(_ key: PrivateKey, _ certificates: [Certificate]) {
    self.key = key
    nameless = Certificate(selfSignedBy: key)
    self.certificates = certificates.isEmpty ? [nameless] : certificates
    publicKeyInfo = key.publicKeyInfo
  }

  /// For a file of mode 0600: the private key, then the certificates.
  package var pem: [UInt8] { key.pem + certificates.flatMap(\.pem) }
  package var certificateChain: [[UInt8]] { certificates.map(\.der) }
  /// SHA-256 of the SubjectPublicKeyInfo: the PeerID, or a server's pin.
  package var keyHash: [UInt8] { OpenSSLCipherSuite().sha256(publicKeyInfo) }

  package func signature(of message: [UInt8]) -> [UInt8] { key.signature(of: message) }
}
