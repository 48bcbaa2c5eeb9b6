import Encryption
import Fixtures
import Links
import Rooms
import Testing
import Units

@Suite struct RendezvousSessionsTests {
  let identity = P256Identity.generate()
  let issuer = TestAuthority()

  private func issued(_ leaf: TestAuthority.Leaf) throws -> P256Identity {
    let files = issuer.issue(leaf)
    return try P256Identity(certificatePEM: files.certificate, keyPEM: files.key)
  }
  private func server(_ leaf: TestAuthority.Leaf) throws -> ServerCertificate {
    let files = issuer.issue(leaf)
    return try ServerCertificate(certificatePEM: files.certificate, keyPEM: files.key)
  }

  private func facts(
    _ session: any SecureSession, _ host: String, _ authority: CertificateAuthority?
  ) -> ServerFacts? {
    ServerFacts(
      keyHash: session.peerKeyHash, chain: session.peerCertificateChain, host: host,
      authority: authority)
  }

  @Test func `a client and a self-made server meet, and each knows the other's key`() throws {
    let certificate = ServerCertificate.generate()
    let client = RendezvousClientSessions(identity).makeSession(host: "localhost")
    let pair = SessionPair(client, RendezvousServerSessions(certificate).makeSession())
    #expect(facts(client, "localhost", nil) == nil)
    pair.shakeHands()
    #expect(pair.isEstablished)
    #expect(pair.server.peerKeyHash == identity.keyHash)
    let shown = try #require(facts(client, "localhost", nil))
    #expect(shown.pin == certificate.pin)
    #expect(shown.authorityRefusal == nil)
    #expect(
      CertificateAuthority.system().refusal(
        of: client.peerCertificateChain, for: .server(host: "localhost")) != nil)
    let label = AdmissionLabel.exporter
    #expect(
      client.exporter(label: label, count: 32) == pair.server.exporter(label: label, count: 32))
    pair.client.send([1, 2], at: .zero)
    pair.server.send([3], at: .zero)
    pair.settle()
    #expect(SessionPair.received(pair.serverEvents) == [1, 2])
    #expect(SessionPair.received(pair.clientEvents) == [3])
  }

  @Test func `a server's certificate survives its file`() throws {
    let certificate = ServerCertificate.generate()
    #expect(try ServerCertificate(pem: certificate.pem).pin == certificate.pin)
    #expect(throws: CertificateError.noCertificate) { try ServerCertificate(pem: []) }
    #expect(throws: CertificateError.keyMismatch) {
      try ServerCertificate(
        certificatePEM: certificate.pem, keyPEM: ServerCertificate.generate().pem)
    }
  }

  @Test func `a server with another key than expected is told apart by its facts`() throws {
    let certificate = ServerCertificate.generate()
    let wrong = [UInt8](repeating: 1, count: 32)
    let pair = SessionPair(
      RendezvousClientSessions(identity).makeSession(host: "localhost", expectedKeyHash: wrong),
      RendezvousServerSessions(certificate).makeSession())
    pair.shakeHands()
    let shown = try #require(facts(pair.client, "localhost", nil))
    let address = ServerAddress(host: "localhost")
    let pin = try #require(KeyFingerprint(bytes: wrong))
    #expect(
      ServerTrust(pin: pin, known: KnownServers()).verdict(on: shown, of: address) { true }
        == .refused(.pinMismatch(expected: pin, found: certificate.pin)))
  }

  @Test func `an authority vouches for the server's name, also with an RSA key`() throws {
    let authority = try CertificateAuthority(pem: issuer.pem)
    for bits in [0, 2_048] {
      let sessions = RendezvousServerSessions(try server(.init(keyBits: bits)))
      let right = SessionPair(
        RendezvousClientSessions(identity).makeSession(
          host: "call.example.org", authority: authority), sessions.makeSession())
      right.shakeHands()
      #expect(right.isEstablished)
      let shown = facts(right.client, "call.example.org", authority)
      #expect(shown?.authorityRefusal == nil)
      let elsewhere = facts(right.client, "example.org", authority)
      #expect(elsewhere?.authorityRefusal != nil)
      let wrong = SessionPair(
        RendezvousClientSessions(identity).makeSession(
          host: "example.org", authority: authority), sessions.makeSession())
      wrong.shakeHands()
      let misnamed = facts(wrong.client, "example.org", authority)
      #expect(misnamed?.authorityRefusal != nil)
    }
  }

  @Test func `a server with an authority admits only those whom it vouches for`() throws {
    let authority = try CertificateAuthority(pem: issuer.pem)
    let certificate = try server(.init())
    let sessions = RendezvousServerSessions(certificate, authority: authority)
    let person = try issued(.init(usage: "clientAuth", names: "URI:p2pcall:Ann"))
    func meet(
      _ identity: P256Identity, pin: [UInt8]? = nil, authority: CertificateAuthority? = nil
    ) -> SessionPair {
      let pair = SessionPair(
        RendezvousClientSessions(identity).makeSession(
          host: "call.example.org", expectedKeyHash: pin, authority: authority),
        sessions.makeSession())
      pair.shakeHands()
      return pair
    }
    let pin = certificate.pin.bytes
    for admitted in [meet(person, pin: pin), meet(person, authority: authority)] {
      #expect(admitted.serverEvents == [.established])
      #expect(admitted.server.peerKeyHash == person.keyHash)
      #expect(admitted.server.peerCertificateChain == person.certificateChain)
    }
    for pair in [meet(identity, pin: pin), meet(try issued(.init()), pin: pin)] {
      guard case .failed(.untrusted) = pair.serverEvents.last else {
        Issue.record("admitted: \(pair.serverEvents)")
        continue
      }
      // Told apart from everything else that may go wrong, so that the user hears the remedy.
      guard case .failed(.certificateRefused) = pair.clientEvents.last else {
        Issue.record("not told why: \(pair.clientEvents)")
        continue
      }
    }
    let otherAuthority = try CertificateAuthority(pem: TestAuthority().pem)
    for unproved in [
      meet(person), meet(person, pin: [UInt8](repeating: 1, count: 32)),
      meet(person, authority: otherAuthority),
    ] { #expect(unproved.server.peerKeyHash == nil, "no name for a server that is not proved") }
  }

  @Test func `a CA's name never reaches a server that does not ask for it`() throws {
    let person = try issued(.init(usage: "clientAuth", names: "URI:p2pcall:Ann"))
    let certificate = ServerCertificate.generate()
    let pair = SessionPair(
      RendezvousClientSessions(person).makeSession(
        host: "localhost", expectedKeyHash: certificate.pin.bytes),
      RendezvousServerSessions(certificate).makeSession())
    pair.shakeHands()
    #expect(pair.server.peerKeyHash == person.keyHash)
    #expect(pair.server.peerCertificateChain != person.certificateChain)
    #expect(pair.server.peerCertificateChain.count == 1)
  }

  @Test func `a server sends nothing before the client is known`() {
    let sessions = RendezvousServerSessions(ServerCertificate.generate())
    let pair = SessionPair(
      RendezvousClientSessions(identity).makeSession(host: "localhost"), sessions.makeSession())
    pair.start()
    pair.server.send([1], at: .zero)
    pair.settle()
    #expect(pair.isEstablished)
    #expect(SessionPair.received(pair.clientEvents).isEmpty)
  }
}

private enum AdmissionLabel {
  static let exporter = "EXPORTER-p2pcall-srv-v1"
}
