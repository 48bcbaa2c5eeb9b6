import Rooms
import Testing

@Suite struct ServerTrustTests {
  private let address = ServerAddress(host: "call.example.org", port: 7_443)
  private let right = KeyFingerprint(bytes: [UInt8](repeating: 1, count: 32))!
  private let wrong = KeyFingerprint(bytes: [UInt8](repeating: 2, count: 32))!

  /// `system`: what its store says; where it is not to be asked, `nil`.
  private func verdict(
    of trust: ServerTrust, authority: String? = nil, system: Bool? = nil,
    of address: ServerAddress? = nil
  ) -> ServerVerdict {
    var isAsked = false
    let verdict = trust.verdict(
      on: ServerFacts(pin: right, authorityRefusal: authority), of: address ?? self.address
    ) {
      isAsked = true
      return system ?? true
    }
    #expect(isAsked == (system != nil), "reading the system's store takes longer than a handshake")
    return verdict
  }
  private func known(_ pin: KeyFingerprint?) -> KnownServers {
    var servers = KnownServers()
    if let pin { servers.remember(pin, of: address) }
    return servers
  }

  @Test func `the pin decides before all else`() {
    let trust = ServerTrust(pin: right, hasAuthority: true, known: known(wrong))
    #expect(verdict(of: trust, authority: "expired") == .accepted(.pin))
    let mistaken = ServerTrust(pin: wrong, hasAuthority: true, known: known(right))
    #expect(
      verdict(of: mistaken)
        == .refused(.pinMismatch(expected: wrong, found: right)))
  }

  @Test func `then the authority`() {
    let trust = ServerTrust(hasAuthority: true, known: known(wrong))
    #expect(verdict(of: trust) == .accepted(.authority))
    #expect(
      verdict(of: trust, authority: "expired")
        == .refused(.authority(reason: "expired")))
  }

  @Test func `then what is known of the address`() {
    #expect(verdict(of: ServerTrust(known: known(right))) == .accepted(.known))
    #expect(
      verdict(of: ServerTrust(known: known(wrong)))
        == .refused(.changed(known: wrong, found: right)))
    let elsewhere = ServerAddress(host: "call.example.org", port: 1)
    #expect(
      verdict(of: ServerTrust(known: known(wrong)), system: false, of: elsewhere) == .ask)
  }

  @Test func `then the system's store, then the user`() {
    let trust = ServerTrust(known: known(nil))
    #expect(verdict(of: trust, system: true) == .accepted(.system))
    #expect(verdict(of: trust, system: false) == .ask)
  }

  @Test func `every refusal is one sentence that names the server`() {
    for refusal in [
      ServerRefusal.pinMismatch(expected: right, found: wrong), .authority(reason: "expired"),
      .changed(known: right, found: wrong),
    ] {
      let sentence = refusal.sentence(for: address)
      #expect(sentence.contains("call.example.org:7443"))
      #expect(!sentence.contains("\n"))
    }
  }

  @Test func `known servers survive their file; names have no case`() throws {
    var servers = KnownServers()
    servers.remember(right, of: ServerAddress(host: "B.example", port: 2))
    servers.remember(wrong, of: ServerAddress(host: "::1", port: 2))
    servers.remember(wrong, of: ServerAddress(host: "a.example", port: 2))
    servers.remember(right, of: ServerAddress(host: "A.Example.", port: 2))
    var refused: [Int] = []
    let again = KnownServers(text: servers.text + "nonsense\na b c\n", refused: &refused)
    #expect(refused == [5, 6])
    // What could not be read is kept for the user to correct.
    #expect(again.text == servers.text + "nonsense\na b c\n")
    #expect(again.pin(of: ServerAddress(host: "b.EXAMPLE", port: 2)) == right)
    #expect(again.pin(of: ServerAddress(host: "a.example", port: 2)) == right)
    #expect(again.pin(of: ServerAddress(host: "::1", port: 2)) == wrong)
    #expect(again.pin(of: ServerAddress(host: "b.example", port: 3)) == nil)
  }

  @Test func `a fingerprint has one text`() throws {
    let text = "sha256:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE"
    #expect(right.description == text)
    #expect(KeyFingerprint(text: text) == right)
    #expect(KeyFingerprint(text: String(text.dropFirst(7))) == right)
    for refused in [
      "", "sha256:", text + "A", String(text.dropLast()), String(text.dropLast()) + "F",
      text.replacing("Q", with: "+"), "sha1:" + text.dropFirst(7),
    ] { #expect(KeyFingerprint(text: refused) == nil, "\(refused)") }
    let mixed = KeyFingerprint(bytes: (0..<32).map { 0xFF - $0 * 7 })
    #expect(mixed.flatMap { KeyFingerprint(text: $0.description) } == mixed)
  }
}
