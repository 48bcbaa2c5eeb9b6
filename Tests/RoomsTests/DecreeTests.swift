import Ciphers
import Encryption
import Rooms
import Testing
import Units
import Wire

/// S24: what the owner decrees counts, and nobody else's word does.
@Suite struct DecreeTests {
  private let suite = OpenSSLCipherSuite()
  private let owner = P256Identity.generate()
  private let keys: RoomKeys
  private let nonce: [UInt8]
  private let start = Instant.zero + .seconds(5)

  init() throws {
    nonce = suite.randomBytes(32)
    let room = RoomID.create(ownerKeyInfo: owner.publicKeyInfo, nonce: nonce, with: suite)
    keys = try RoomKeys(room, with: suite)
  }

  private func key(_ number: UInt8) -> KeyFingerprint {
    KeyFingerprint(bytes: [UInt8](repeating: number, count: 32))!
  }

  private func watch(of identity: P256Identity, knowing policy: RoomPolicy?) throws -> CharterWatch
  {
    var watch = CharterWatch(keys, own: identity, wallSeconds: 1_000, at: start, with: suite)
    if let policy {
      let charter = keys.signedCharter(policy, version: 3, nonce: nonce, by: owner)
      let isLearned = watch.learn(
        keys.sealed(charter, iv: suite.randomBytes(12), with: suite))
      try #require(isLearned)
    }
    return watch
  }

  /// What was thrown, `nil` for nothing.
  private func refusal(_ watch: inout CharterWatch, _ decree: Decree) -> DecreeRefusal? {
    do throws(DecreeRefusal) { try watch.issue(decree) } catch { return error }
    return nil
  }

  @Test func `the owner's decrees are believed by who knows the room, each replaces the last`()
    throws
  {
    var office = try watch(of: owner, knowing: RoomPolicy(expiry: 9_000, size: 7))
    var member = try watch(of: P256Identity.generate(), knowing: RoomPolicy(expiry: 9_000, size: 7))
    let steps: [(Decree, RoomPolicy)] = [
      (
        .lock(present: [key(1), key(2), key(1)]),
        RoomPolicy(
          isLocked: true, expiry: 9_000, size: 7, allowed: [key(1).bytes, key(2).bytes])
      ),
      (
        .ban(key(2)),
        RoomPolicy(
          isLocked: true, expiry: 9_000, size: 7, allowed: [key(1).bytes], banned: [key(2).bytes])
      ),
      (
        .lock(present: [key(2), key(3)]),
        RoomPolicy(
          isLocked: true, expiry: 9_000, size: 7, allowed: [key(3).bytes], banned: [key(2).bytes])
      ),
      (.unlock, RoomPolicy(expiry: 9_000, size: 7, banned: [key(2).bytes])),
      (.ban(key(2)), RoomPolicy(expiry: 9_000, size: 7, banned: [key(2).bytes])),
    ]
    for (number, (decree, policy)) in steps.enumerated() {
      #expect(refusal(&office, decree) == nil)
      #expect(office.charter?.policy == policy)
      #expect(office.charter?.version == UInt32(4 + number))
      let isLearned = member.learn(try #require(office.sealed))
      #expect(isLearned)
      #expect(member.charter == office.charter)
      let terms = try #require(office.record?.terms)
      #expect(terms.isLocked == policy.isLocked && terms.allowed == policy.allowed)
      #expect(terms.owner == owner.keyHash)
    }
    #expect(member.objection(to: key(2), at: start) == .banned)
    #expect(member.objection(to: key(1), at: start) == nil)
  }

  @Test func `nobody decrees but the owner, who must know the charter and cannot ban himself`()
    throws
  {
    let own = KeyFingerprint(bytes: owner.keyHash)!
    var member = try watch(of: P256Identity.generate(), knowing: RoomPolicy())
    var early = try watch(of: owner, knowing: nil)
    var office = try watch(of: owner, knowing: RoomPolicy())
    for decree in [Decree.unlock, .lock(present: []), .ban(key(1))] {
      #expect(refusal(&member, decree) == .notOwner)
      #expect(refusal(&early, decree) == .noCharter)
    }
    #expect(refusal(&office, .ban(own)) == .ownKey)
    #expect(member.charter?.version == 3 && office.charter?.version == 3)
    #expect(early.sealed == nil)
  }

  @Test func `a full list is refused and changes nothing`() throws {
    let many = (1...UInt8(RoomPolicy.bannedLimit)).map { key($0).bytes }
    var office = try watch(of: owner, knowing: RoomPolicy(banned: many))
    #expect(refusal(&office, .ban(key(200))) == .full)
    #expect(refusal(&office, .ban(key(1))) == nil)
    let present = (1...UInt8(RoomPolicy.allowedLimit + 1)).map { key($0 + 100) }
    #expect(refusal(&office, .lock(present: present)) == .full)
    #expect(office.charter?.policy.isLocked == false)
  }

  @Test func `who is banned knows it of himself`() throws {
    let ben = P256Identity.generate()
    let policy = RoomPolicy(banned: [ben.keyHash])
    #expect(try watch(of: ben, knowing: policy).ownObjection(at: start) == .banned)
    #expect(try watch(of: owner, knowing: policy).ownObjection(at: start) == nil)
    #expect(try watch(of: ben, knowing: nil).ownObjection(at: start) == nil)
  }
}
