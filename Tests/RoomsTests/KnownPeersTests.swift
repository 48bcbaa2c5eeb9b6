import Encryption
import Rooms
import Testing
import Units

@Suite struct KnownPeersTests {
  let folding = UnistringFolding()
  private static func key(_ byte: UInt8) -> KeyFingerprint {
    KeyFingerprint(bytes: [UInt8](repeating: byte, count: 32))!
  }
  private let own = key(0)
  private let ann = key(1)
  private let bob = key(2)
  private let eve = key(3)

  private func met() -> KnownPeers {
    var peers = KnownPeers(own: own)
    _ = peers.record(.new(name: "Ann"), of: ann)
    return peers
  }
  private func acquaintance(
    _ peers: KnownPeers, _ key: KeyFingerprint, _ name: String, proved: [KeyFingerprint] = []
  ) -> Acquaintance {
    peers.acquaintance(of: key, claiming: name, proved: proved, folding: folding)
  }

  private func isRecorded(
    _ acquaintance: Acquaintance, of key: KeyFingerprint, in peers: inout KnownPeers
  ) -> Bool { peers.record(acquaintance, of: key) != nil }

  @Test func `a new key is new, and known from then on`() {
    var peers = KnownPeers(own: own)
    let first = acquaintance(peers, ann, "Ann")
    #expect(first == .new(name: "Ann"))
    #expect(isRecorded(first, of: ann, in: &peers))
    let second = acquaintance(peers, ann, "Ann")
    #expect(second == .known(name: "Ann", isVerified: false))
    #expect(!isRecorded(second, of: ann, in: &peers))
  }

  @Test func `a known key keeps its pinned name, whatever it claims`() {
    #expect(acquaintance(met(), ann, "Bob") == .known(name: "Ann", isVerified: false))
  }

  @Test(arguments: ["Ann", "ANN", "ann", "Ａｎｎ", " Ann ", "A\u{200B}nn", "Ann\u{202E}", "An\u{AD}n"])
  func `an unknown key under a pinned name is changed`(name: String) {
    var peers = met()
    let found = acquaintance(peers, eve, name)
    guard case .changed(_, ann) = found else {
      Issue.record("\(found)")
      return
    }
    #expect(isRecorded(found, of: eve, in: &peers))
    // Noted, but no less quarantined the next time.
    #expect(acquaintance(peers, eve, name) == found)
    #expect(acquaintance(peers, ann, "Ann") == .known(name: "Ann", isVerified: false))
  }

  @Test func `beside the proved holder of the name a stranger is new, and shown with his key`() {
    var peers = met()
    let found = acquaintance(peers, eve, "Ann", proved: [ann])
    #expect(found == .new(name: "Ann (\(eve.short))"))
    #expect(isRecorded(found, of: eve, in: &peers))
    #expect(
      acquaintance(peers, eve, "Ann") == .known(name: "Ann (\(eve.short))", isVerified: false))
    #expect(acquaintance(peers, bob, "Ann", proved: [bob]) == .changed(name: "Ann", pinned: ann))
  }

  @Test func `one's own key is never pinned`() {
    var peers = met()
    #expect(acquaintance(peers, own, "Ann") == .oneself(name: "Ann"))
    #expect(!isRecorded(.new(name: "Me"), of: own, in: &peers))
    #expect(!isRecorded(.oneself(name: "Me"), of: own, in: &peers))
    #expect(peers[own] == nil)
    #expect(throws: KnownPeersError.ownKey) { try peers.trust(own, name: "Me") }
  }

  @Test func `trust admits a quarantined key, and only one that was met or is named`() throws {
    var peers = met()
    _ = peers.record(acquaintance(peers, eve, "Ann"), of: eve)
    try peers.trust(eve)
    #expect(acquaintance(peers, eve, "Ann") == .known(name: "Ann", isVerified: false))
    #expect(acquaintance(peers, ann, "Ann") == .known(name: "Ann", isVerified: false))
    #expect(throws: KnownPeersError.unknownKey(bob)) { try peers.trust(bob) }
    try peers.trust(bob, name: "Bob")
    #expect(acquaintance(peers, bob, "whoever") == .known(name: "Bob", isVerified: false))
  }

  @Test func `verification lasts and shows`() throws {
    var peers = met()
    try peers.verify(ann)
    #expect(acquaintance(peers, ann, "Ann") == .known(name: "Ann", isVerified: true))
    try peers.trust(ann)
    #expect(peers[ann]?.standing == .verified)
    #expect(throws: KnownPeersError.unknownKey(bob)) { try peers.verify(bob) }
  }

  @Test func `renaming keeps names apart, forgetting frees them`() throws {
    var peers = met()
    _ = peers.record(.new(name: "Bob"), of: bob)
    #expect(throws: KnownPeersError.nameTaken("ANN", by: ann)) {
      try peers.rename(bob, to: "ANN", folding: folding)
    }
    try peers.rename(ann, to: "Anna", folding: folding)
    try peers.rename(bob, to: "Ann", folding: folding)
    #expect(acquaintance(peers, bob, "Bob") == .known(name: "Ann", isVerified: false))
    try peers.forget(bob)
    #expect(acquaintance(peers, bob, "Ann") == .new(name: "Ann"))
    #expect(throws: KnownPeersError.unknownKey(bob)) { try peers.forget(bob) }
  }

  @Test func `the list survives its file, in one order`() throws {
    var peers = met()
    _ = peers.record(.new(name: "Bob  of \u{1F600} the\nHill"), of: bob)
    _ = peers.record(.changed(name: "Ann", pinned: ann), of: eve)
    try peers.verify(bob)
    var refused: [Int] = []
    let again = KnownPeers(own: own, text: peers.text, refused: &refused)
    #expect(again == peers)
    #expect(refused.isEmpty)
    #expect(peers.entries.map(\.key) == [ann, bob, eve])
  }

  @Test func `lines that say nothing are told, the others hold`() {
    var refused: [Int] = []
    let text = """
      # comment

      \(ann) pinned Ann
      nonsense
      \(bob) trusted Bob
      sha256:short pinned Bob
      \(own) pinned Me
      \(bob) pinned
      \(bob) pinned Bob
      """
    let peers = KnownPeers(own: own, text: text, refused: &refused)
    #expect(refused == [4, 5, 6, 7, 8])
    #expect(peers.entries.map(\.name) == ["Ann", "Bob"])
    // The user is to correct them, so they are not lost with the next entry that is stored.
    for line in ["nonsense", "\(bob) trusted Bob", "sha256:short pinned Bob"] {
      #expect(peers.text.contains(line + "\n"))
    }
  }

  @Test func `what a call found does not undo what was stored meanwhile`() throws {
    var stored = met()
    let found = KnownPeers.Entry(key: eve, name: "Eve", standing: .pinned)
    stored.merge(found)
    #expect(stored[eve] == found)
    // Another call, or the user, knows better.
    try stored.verify(eve)
    stored.merge(.init(key: eve, name: "Mallory", standing: .changed))
    stored.merge(.init(key: ann, name: "Mallory", standing: .pinned))
    #expect(stored[eve]?.standing == .verified)
    #expect(stored[ann]?.name == "Ann")
    // Whoever was quarantined and then met beside the holder of the name is pinned.
    stored.merge(.init(key: bob, name: "Ann", standing: .changed))
    stored.merge(.init(key: bob, name: "Ann (x)", standing: .pinned))
    #expect(stored[bob]?.standing == .pinned)
    stored.merge(.init(key: own, name: "Me", standing: .pinned))
    #expect(stored[own] == nil)
  }

  @Test func `a file of garbage never traps`() {
    var random = SeededRandom(seed: 4)
    for _ in 0..<500 {
      var refused: [Int] = []
      var text = Array(met().text.utf8)
      for _ in 0..<5 { text[Int(random.next() % UInt64(text.count))] = random.bytes(1)[0] }
      _ = KnownPeers(
        own: own, text: String(decoding: text, as: UTF8.self), refused: &refused)
      _ = KnownServers(text: String(decoding: text, as: UTF8.self), refused: &refused)
    }
  }
}
