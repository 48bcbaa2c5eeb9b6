import Ciphers
import Encryption
import Rooms
import Testing
import Units
import Wire

@Suite struct CharterTests {
  let suite = OpenSSLCipherSuite()
  let owner = P256Identity.generate()
  let nonce = [UInt8](repeating: 6, count: 32)
  let keys: RoomKeys

  init() throws {
    keys = try RoomKeys(
      RoomID.create(ownerKeyInfo: owner.publicKeyInfo, nonce: nonce, with: suite), with: suite)
  }

  private func sealed(_ charter: RoomCharter) -> [UInt8] {
    keys.sealed(charter, iv: suite.randomBytes(12), with: suite)
  }

  @Test func `what the owner seals, members believe`() throws {
    let policy = RoomPolicy(expiry: 99, size: 4, banned: [[UInt8](repeating: 1, count: 32)])
    let charter = keys.signedCharter(policy, version: 3, nonce: nonce, by: owner)
    #expect(try keys.opened(sealed(charter), with: suite) == charter)
  }

  @Test func `nobody else's word counts`() throws {
    let stranger = P256Identity.generate()
    let usurped = keys.signedCharter(RoomPolicy(), version: 9, nonce: nonce, by: stranger)
    #expect(throws: CharterRefusal.foreignOwner) {
      try keys.opened(sealed(usurped), with: suite)
    }
    var forged = keys.signedCharter(RoomPolicy(), version: 9, nonce: nonce, by: stranger)
    forged.ownerKeyInfo = owner.publicKeyInfo
    #expect(throws: CharterRefusal.badSignature) { try keys.opened(sealed(forged), with: suite) }
    var raised = keys.signedCharter(RoomPolicy(), version: 1, nonce: nonce, by: owner)
    raised.version = 2
    #expect(throws: CharterRefusal.badSignature) { try keys.opened(sealed(raised), with: suite) }
    var loosened = keys.signedCharter(
      RoomPolicy(isLocked: true), version: 1, nonce: nonce, by: owner)
    loosened.policy.isLocked = false
    #expect(throws: CharterRefusal.badSignature) {
      try keys.opened(sealed(loosened), with: suite)
    }
  }

  @Test func `a record of another room or an altered one is refused`() throws {
    let charter = keys.signedCharter(RoomPolicy(), version: 1, nonce: nonce, by: owner)
    let record = sealed(charter)
    for index in record.indices {
      var altered = record
      altered[index] ^= 4
      #expect(throws: CharterRefusal.forged) { try keys.opened(altered, with: suite) }
    }
    for count in 0..<record.count {
      #expect(throws: CharterRefusal.forged) {
        try keys.opened(Array(record.prefix(count)), with: suite)
      }
    }
    let other = try RoomKeys(
      RoomID.create(
        flags: .lobby, ownerKeyInfo: owner.publicKeyInfo, nonce: nonce, with: suite), with: suite)
    #expect(throws: CharterRefusal.forged) { try other.opened(record, with: suite) }
  }

  @Test func `the highest version holds`() {
    let charters = (0...3).map {
      keys.signedCharter(RoomPolicy(size: UInt16($0)), version: $0, nonce: nonce, by: owner)
    }
    var standing = StandingCharter()
    let adopted = [1, 1, 0, 3, 2].map { standing.adopt(charters[$0]) }
    #expect(adopted == [true, false, false, true, false])
    #expect(standing.current == charters[3])
  }

  @Test func `members enforce ban, lock, expiry and lobby`() throws {
    let ann = try #require(KeyFingerprint(bytes: [UInt8](repeating: 1, count: 32)))
    let bob = try #require(KeyFingerprint(bytes: [UInt8](repeating: 2, count: 32)))
    let ownerID = try #require(KeyFingerprint(bytes: owner.keyHash))
    func objection(
      _ policy: RoomPolicy?, _ peer: KeyFingerprint, flags: RoomFlags = [], now: UInt64 = 1_000
    ) -> CharterObjection? {
      var standing = StandingCharter()
      if let policy {
        standing.adopt(keys.signedCharter(policy, version: 1, nonce: nonce, by: owner))
      }
      return standing.objection(to: peer, owner: ownerID, flags: flags, now: now)
    }
    #expect(objection(nil, ann) == nil)
    #expect(objection(nil, ann, flags: .lobby) == .noCharter)
    #expect(objection(RoomPolicy(), ann, flags: .lobby) == nil)
    #expect(objection(RoomPolicy(banned: [ann.bytes]), ann) == .banned)
    #expect(objection(RoomPolicy(banned: [ann.bytes]), bob) == nil)
    let locked = RoomPolicy(isLocked: true, allowed: [ann.bytes])
    #expect(objection(locked, ann) == nil)
    #expect(objection(locked, bob) == .locked)
    #expect(objection(locked, ownerID) == nil)
    #expect(objection(RoomPolicy(expiry: 1_000), ann, now: 1_300) == nil)
    #expect(objection(RoomPolicy(expiry: 1_000), ann, now: 1_301) == .expired)
    #expect(objection(RoomPolicy(expiry: .max), ann, now: .max) == nil)
  }

  @Test
  func `a watch believes the owner only, keeps the newest, and makes the room's record of it`()
    throws
  {
    let ann = try #require(KeyFingerprint(bytes: [UInt8](repeating: 1, count: 32)))
    let start = Instant.zero + .seconds(5)
    var watch = CharterWatch(
      keys, own: P256Identity.generate(), wallSeconds: 1_000, at: start, with: suite)
    func learns(_ record: [UInt8]) -> Bool { watch.learn(record) }
    #expect(watch.objection(to: ann, at: start) == nil)
    let expiring = sealed(
      keys.signedCharter(RoomPolicy(expiry: 2_000, size: 9), version: 1, nonce: nonce, by: owner))
    let foreign = sealed(
      keys.signedCharter(RoomPolicy(), version: 7, nonce: nonce, by: P256Identity.generate()))
    #expect(!learns(foreign))
    #expect(!learns([]))
    #expect(watch.record == nil)
    #expect(learns(expiring))
    #expect(!learns(expiring))
    #expect(!learns(foreign))
    #expect(watch.objection(to: ann, at: start + .seconds(1_300)) == nil)
    #expect(watch.objection(to: ann, at: start + .seconds(1_301)) == .expired)
    // Objections begin by themselves: whoever is here must be looked at again then.
    #expect(watch.endsAt == start + .seconds(1_301))
    let banning = sealed(
      keys.signedCharter(
        RoomPolicy(isLocked: true, allowed: [owner.keyHash], banned: [ann.bytes]), version: 2,
        nonce: nonce, by: owner))
    #expect(learns(banning))
    #expect(watch.endsAt == nil)
    #expect(!learns(expiring))
    #expect(watch.sealed == banning)
    #expect(watch.objection(to: ann, at: start) == .banned)
    let record = try #require(watch.record)
    #expect(record.terms.owner == owner.keyHash)
    #expect(record.terms.isLocked)
    #expect(record.terms.allowed == [owner.keyHash])
    #expect(record.sealed == banning)
    for (number, expiry) in ([.max, .max - 300, 1 << 62] as [UInt64]).enumerated() {
      let policy = RoomPolicy(expiry: expiry)
      let version = UInt32(number) + 3
      #expect(
        learns(sealed(keys.signedCharter(policy, version: version, nonce: nonce, by: owner))))
      #expect(watch.endsAt == nil)
    }
  }
}
