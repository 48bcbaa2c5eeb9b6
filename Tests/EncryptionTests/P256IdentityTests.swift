import Ciphers
import Encryption
import Fixtures
import Testing

@Suite struct P256IdentityTests {
  let suite = OpenSSLCipherSuite()

  @Test func `a new identity's certificate is nameless, for its key, valid from 2000 to 9999`() {
    let identity = P256Identity.generate()
    #expect(identity.certificateChain.count == 1)
    let der = identity.certificateChain[0]
    #expect(suite.publicKeyInfo(ofCertificate: der) == identity.publicKeyInfo)
    #expect(identity.keyHash == suite.sha256(identity.publicKeyInfo))
    let text = String(decoding: der, as: UTF8.self)
    #expect(text.contains("000101000000Z"))
    #expect(text.contains("99991231235959Z"))
    // Issuer, validity and subject: two empty sequences around the dates.
    #expect(der.count < 320)
    #expect(P256Identity.generate().publicKeyInfo != identity.publicKeyInfo)
  }

  @Test func `an identity survives its file`() throws {
    let identity = P256Identity.generate()
    let again = try P256Identity(pem: identity.pem)
    #expect(again.publicKeyInfo == identity.publicKeyInfo)
    #expect(again.certificateChain == identity.certificateChain)
    let message: [UInt8] = [1, 2, 3]
    #expect(
      suite.verifyIdentity(
        again.signature(of: message), of: message, publicKeyInfo: identity.publicKeyInfo))
  }

  @Test func `files that are no identity are refused with the reason`() {
    let one = P256Identity.generate()
    let other = P256Identity.generate()
    #expect(throws: CertificateError.noKey) { try P256Identity(pem: []) }
    #expect(throws: CertificateError.noKey) { try P256Identity(pem: Array("nonsense".utf8)) }
    #expect(throws: CertificateError.noCertificate) {
      try P256Identity(certificatePEM: Array("nonsense".utf8), keyPEM: one.pem)
    }
    #expect(throws: CertificateError.keyMismatch) {
      try P256Identity(certificatePEM: one.pem, keyPEM: other.pem)
    }
    #expect(throws: CertificateError.keyProtected) {
      try P256Identity(pem: Array(Self.protectedKey.utf8))
    }
    #expect(throws: CertificateError.keyNotP256) {
      try P256Identity(pem: Array(Self.ed25519Key.utf8))
    }
    for count in stride(from: 0, to: one.pem.count, by: 7) {
      _ = try? P256Identity(pem: Array(one.pem.prefix(count)))
    }
  }

  /// openssl genpkey -algorithm ed25519
  private static let ed25519Key = """
    -----BEGIN PRIVATE KEY-----
    MC4CAQAwBQYDK2VwBCIEIEdVB6d1W0MJpfL92bs9j5VZGbpBJoEF6J4pzBz6EUYI
    -----END PRIVATE KEY-----
    """
  /// openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes256
  private static let protectedKey = """
    -----BEGIN ENCRYPTED PRIVATE KEY-----
    MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAh4K4er2o06LAICCAAw
    DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEK4kTYoMrmcDUOP3EQVR71MEgZC2
    3p376k0XT2sMVr042y2PLLPnPG5ubrmMQVecLPYpn/Aucjh04dWg63KxxRhY3I5e
    LLKGyOMv/BmtJKWCpJZCqdcazTqnYs+YE1NRggUKuQ4tO5IfO7ZBfLM2y7+sujiO
    Omud8PxTHuzvdLr3YrYI13GrlCfaepVBioHAuhrSwnXSNL/biDnzc3KrS7z2by0=
    -----END ENCRYPTED PRIVATE KEY-----
    """

  @Test func `a chain that peers would refuse is refused at the start`() throws {
    let files = TestAuthority().issue(.init(usage: "clientAuth", names: "URI:p2pcall:Ann"))
    for count in [8, 9] {
      let chain = (0..<count).flatMap { _ in files.certificate }
      if count == 8 {
        let identity = try P256Identity(certificatePEM: chain, keyPEM: files.key)
        #expect(identity.certificateChain.count == 8)
      } else {
        #expect(throws: CertificateError.chainTooLong) {
          try P256Identity(certificatePEM: chain, keyPEM: files.key)
        }
      }
    }
  }
}
