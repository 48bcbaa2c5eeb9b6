import COpenSSL
import Encryption
import Links
import Testing
import Units

/// Peers that OpenSSL alone would talk to.
@Suite struct RefusedPeerTests {
  let factory = OpenSSLSessionFactory(LinkCertificate())

  private func meet(_ settings: RawPeer.Settings) throws -> [SessionPair.Event] {
    let session = factory.makeSession(
      settings.carrier, role: settings.role == .client ? .server : .client, expectedKeyHash: nil)
    let events = try RawPeer(settings).meet(session)
    if !events.contains(.established) {
      #expect(session.exporter(label: "EXPORTER-p2pcall-auth-v1", count: 32) == nil)
      session.send([1], at: .zero)
      while let output = session.nextOutput() {
        if case .transmit = output { Issue.record("sent to a refused peer") }
      }
    }
    return events
  }

  @Test(arguments: [SessionRole.client, .server], [Carrier.datagram, .stream])
  func `a raw OpenSSL peer with nothing wrong is accepted`(
    role: SessionRole, carrier: Carrier
  ) throws {
    #expect(try meet(.init(role: role, carrier: carrier)) == [.established])
  }

  @Test(arguments: [SessionRole.client, .server])
  func `DTLS without extended master secret is refused`(role: SessionRole) throws {
    let events = try meet(
      .init(role: role, options: p2p_SSL_OP_NO_EXTENDED_MASTER_SECRET))
    #expect(
      events == [
        .failed(.refused("the peer lacks the extended master secret (RFC 7627)"))
      ])
  }

  @Test(arguments: [SessionRole.client, .server])
  func `TLS 1.2 and older are refused on a stream`(role: SessionRole) throws {
    for version in [TLS1_2_VERSION, TLS1_1_VERSION, TLS1_VERSION] {
      let events = try meet(
        .init(role: role, carrier: .stream, versions: (0, Int(version))))
      guard case .failed(.handshake) = events.last, events.count == 1 else {
        Issue.record("\(version): \(events)")
        continue
      }
    }
  }

  @Test(arguments: [SessionRole.client, .server])
  func `DTLS 1.0 is refused`(role: SessionRole) throws {
    let events = try meet(.init(role: role, versions: (0, Int(DTLS1_VERSION))))
    #expect(!events.contains(.established))
  }

  @Test(arguments: [
    "ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA", "ECDHE-ECDSA-AES128-CCM8",
    "ECDHE-RSA-AES128-GCM-SHA256", "AES128-GCM-SHA256", "DHE-RSA-AES128-GCM-SHA256",
    "AECDH-AES128-SHA", "NULL",
  ])
  func `other DTLS ciphers are refused`(ciphers: String) throws {
    for role in [SessionRole.client, .server] {
      let keyBits = ciphers.contains("RSA") || ciphers.hasPrefix("AES") ? 2_048 : 0
      let events = try meet(.init(role: role, ciphers: ciphers, keyBits: keyBits))
      #expect(!events.contains(.established))
    }
  }

  @Test(arguments: [
    "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
  ])
  func `the three DTLS ciphers are accepted`(ciphers: String) throws {
    for role in [SessionRole.client, .server] {
      #expect(try meet(.init(role: role, ciphers: ciphers)) == [.established])
    }
  }

  @Test(arguments: [Carrier.datagram, .stream])
  func `a client without a certificate is refused`(carrier: Carrier) throws {
    let events = try meet(.init(carrier: carrier, hasCertificate: false))
    #expect(!events.contains(.established))
    guard case .failed = events.last else {
      Issue.record("\(events)")
      return
    }
  }

  @Test(arguments: [SessionRole.client, .server])
  func `a key that is not P-256 is refused on a stream`(role: SessionRole) throws {
    let events = try meet(.init(role: role, carrier: .stream, keyBits: 2_048))
    #expect(events == [.failed(.refused("the peer's certificate is not for a P-256 key"))])
  }
}
