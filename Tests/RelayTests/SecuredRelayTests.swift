import Encryption
import Fixtures
import Links
import Runtime
import Testing
import Units
import Wire

/// TURN over TLS, judged by coturn and its OpenSSL: whom the client speaks with, and whom it does not.
@Suite(
  .serialized,
  .enabled(
    if: Turnserver.path != nil,
    "coturn's turnserver is absent: TURN over TLS was not tried against a real relay"))
struct SecuredRelayTests {
  private let loop: EventLoop
  private let authority = TestAuthority()

  init() throws { loop = try EventLoop() }

  private func leaf(_ change: (inout TestAuthority.Leaf) -> Void = { _ in }) -> TestAuthority.Leaf {
    var leaf = TestAuthority.Leaf()
    leaf.names = "DNS:relay.example.org,IP:127.0.0.1"
    change(&leaf)
    return leaf
  }

  private func session(
    to host: String, trusting authority: TestAuthority?
  ) throws -> any SecureSession {
    let trusted = try authority.map { try CertificateAuthority(pem: $0.pem) }
    return RelaySessions(authority: trusted).makeSession(host: host)
  }

  @Test(arguments: [("relay.example.org", 0), ("127.0.0.1", 0), ("relay.example.org", 2_048)])
  func `data passes both ways over TLS, whose certificate names the relay or its address`(
    host: String, keyBits: Int
  ) throws {
    let server = try Turnserver(certificate: authority.issue(leaf { $0.keyBits = keyBits }))
    let session = try session(to: host, trusting: authority)
    let left = try RelayClient(loop, .tcp, server, server.credentials("left"), session: session)
    let right = try RelayClient(loop, .udp, server, server.credentials("right"))
    let both = [left, right]
    try turn(loop, both) { both.allSatisfy { $0.relayed != nil } }
    try exchange(loop, left, right)
    for client in both { client.close() }
    #expect(session.cipherName.contains("GCM") || session.cipherName.contains("CHACHA20"))
    try turn(loop, both) { both.allSatisfy(\.isClosed) }
  }

  /// What became of a client that nothing of TURN was to leave.
  private func refusal(
    _ leaf: TestAuthority.Leaf, to host: String = "relay.example.org", isTrusted: Bool = true,
    options: [String] = []
  ) throws -> SecureSessionFailure? {
    let server = try Turnserver(options, certificate: authority.issue(leaf))
    let client = try RelayClient(
      loop, .tcp, server, server.credentials("one"),
      session: try session(to: host, trusting: isTrusted ? authority : TestAuthority()))
    try turn(loop, [client]) { client.refusal != nil || client.relayed != nil }
    #expect(client.relayed == nil)
    #expect(client.sent == 0)
    return client.refusal
  }

  private func fault(_ refusal: SecureSessionFailure?) -> CertificateFault? {
    if case .untrusted(let fault)? = refusal { fault } else { nil }
  }

  @Test func `a relay of another name or address is refused`() throws {
    for host in ["other.example.org", "example.org", "127.0.0.2", "::1"] {
      #expect(try fault(refusal(leaf(), to: host))?.kind == .misnamed)
    }
  }

  @Test func `an expired certificate is refused`() throws {
    let found = try refusal(leaf { $0.validity = -7_200 ... -3_600 })
    #expect(found == .untrusted(CertificateFault(.outdated, "certificate has expired")))
  }

  @Test func `a certificate of a CA that nobody trusts is refused`() throws {
    // The one that is trusted has the same name.
    let found = try refusal(leaf(), isTrusted: false)
    #expect(found == .untrusted(CertificateFault(.unvouched, "certificate signature failure")))
  }

  @Test func `a certificate for clients is refused`() throws {
    #expect(try fault(refusal(leaf { $0.usage = "clientAuth" }))?.kind == .other)
  }

  @Test func `a relay without authenticated encryption is refused`() throws {
    let found = try refusal(
      leaf(), options: ["--cipher-list", "ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA"])
    guard case .handshake = found else {
      Issue.record("\(String(describing: found))")
      return
    }
  }
}
