package import Links

/// The certificate of this process's peer links: P-256, made at start, never stored.
package struct LinkCertificate: Sendable {
  let key: PrivateKey
  let certificate: Certificate
  /// SHA-256 of the SubjectPublicKeyInfo, which sealed boxes carry.
  package let keyHash: [UInt8]

  package init() {
    key = PrivateKey()
    certificate = Certificate(selfSignedBy: key)
    keyHash = certificate.keyHash
  }
}

/// Peer links' sessions by OpenSSL.
package struct OpenSSLSessionFactory: SecureSessionFactory {
  package let certificateKeyHash: [UInt8]
  private let datagrams: SecureContext
  private let streams: SecureContext

  package init(_ link: LinkCertificate) {
    certificateKeyHash = link.keyHash
    datagrams = SecureContext(
      .datagram, chain: [link.certificate], key: link.key,
      cookieSecret: OpenSSLCipherSuite().randomBytes(32))
    streams = SecureContext(.stream, chain: [link.certificate], key: link.key)
  }

  package func makeSession(
    _ carrier: Carrier, role: SessionRole, expectedKeyHash: [UInt8]?
  ) -> any SecureSession {
    let rules = PeerRules(expectedKeyHash: expectedKeyHash)
    switch carrier {
    case .datagram: return DTLSSession(SSLConnection(datagrams, role: role, rules: rules))
    case .stream:
      return TLSSession(SSLConnection(streams, role: role, rules: rules), sendsEarly: true)
    }
  }
}
