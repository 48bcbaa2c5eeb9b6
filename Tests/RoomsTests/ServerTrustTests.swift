import Rooms
import Testing

@Suite struct ServerTrustTests {
  private let address = ServerAddress(host: "call.example.org", port: 7_443)
  private let right = KeyFingerprint(bytes: [UInt8](repeating: 1, count: 32))!
  private let wrong = KeyFingerprint(bytes: [UInt8](repeating: 2, count: 32))!

  private func facts(authority: String? = nil, system: Bool = false) -> ServerFacts {
    ServerFacts(pin: right, authorityRefusal: authority, isSystemTrusted: system)
  }
  private func known(_ pin: KeyFingerprint?) -> KnownServers {
    var servers = KnownServers()
    if let pin { servers.remember(pin, of: address) }
    return servers
  }

  @Test func `the pin decides before all else`() {
    let trust = ServerTrust(pin: right, hasAuthority: true, known: known(wrong))
    #expect(trust.verdict(on: facts(authority: "expired"), of: address) == .accepted(.pin))
    let mistaken = ServerTrust(pin: wrong, hasAuthority: true, known: known(right))
    #expect(
      mistaken.verdict(on: facts(system: true), of: address)
        == .refused(.pinMismatch(expected: wrong, found: right)))
  }

  @Test func `then the authority`() {
    let trust = ServerTrust(hasAuthority: true, known: known(wrong))
    #expect(trust.verdict(on: facts(), of: address) == .accepted(.authority))
    #expect(
      trust.verdict(on: facts(authority: "expired", system: true), of: address)
        == .refused(.authority(reason: "expired")))
  }

  @Test func `then what is known of the address`() {
    #expect(
      ServerTrust(known: known(right)).verdict(on: facts(), of: address) == .accepted(.known))
    #expect(
      ServerTrust(known: known(wrong)).verdict(on: facts(system: true), of: address)
        == .refused(.changed(known: wrong, found: right)))
    let elsewhere = ServerAddress(host: "call.example.org", port: 1)
    #expect(ServerTrust(known: known(wrong)).verdict(on: facts(), of: elsewhere) == .ask)
  }

  @Test func `then the system's store, then the user`() {
    let trust = ServerTrust(known: known(nil))
    #expect(trust.verdict(on: facts(system: true), of: address) == .accepted(.system))
    #expect(trust.verdict(on: facts(), of: address) == .ask)
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
