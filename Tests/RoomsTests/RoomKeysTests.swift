import Encryption
import Rooms
import Testing
import Wire

@Suite struct RoomKeysTests {
  let suite = OpenSSLCipherSuite()
  let folding = UnistringFolding()

  private func room(_ flags: RoomFlags) -> RoomID {
    RoomID.create(
      flags: flags, ownerKeyInfo: [1], nonce: [UInt8](repeating: 1, count: 32), with: suite)
  }

  @Test func `all keys differ, and another room's too`() throws {
    let keys = try RoomKeys(room([]), with: suite)
    let other = try RoomKeys(room(.lobby), with: suite)
    let all = [keys, other].flatMap {
      [$0.authentication, $0.box, $0.charter, $0.admissionSeed, $0.admissionKey, $0.rid]
    }
    #expect(Set(all).count == all.count)
    #expect(keys.rid.count == 16)
    #expect(keys.hint(with: suite).count == 8)
    #expect(!"\(keys)".contains("\(keys.box[0]), "))
  }

  @Test func `a password is part of the keys, in one normal form`() throws {
    let room = room(.password)
    let composed = try RoomKeys(room, password: "caf\u{E9}", folding: folding, with: suite)
    let decomposed = try RoomKeys(room, password: "cafe\u{301}", folding: folding, with: suite)
    let other = try RoomKeys(room, password: "cafe", folding: folding, with: suite)
    #expect(composed.rid == decomposed.rid)
    #expect(composed.authentication == decomposed.authentication)
    #expect(composed.rid != other.rid)
    #expect(throws: RoomKeysError.passwordNeeded) { try RoomKeys(room, with: suite) }
    #expect(throws: RoomKeysError.passwordEmpty) {
      try RoomKeys(room, password: "", folding: folding, with: suite)
    }
  }

  @Test func `an admission counts for its operation, session, peer, fields and connection only`()
    throws
  {
    let keys = try RoomKeys(room([]), with: suite)
    let session = SessionID(bytes: [UInt8](repeating: 7, count: 16))!
    let statement = AdmissionStatement(
      .create, session: session, peerID: [UInt8](repeating: 1, count: 32), fields: [1, 2],
      exported: [UInt8](repeating: 2, count: 32))
    let admission = statement.admission(by: keys, with: suite)
    #expect(statement.isProved(by: admission, with: suite))
    var others = [AdmissionStatement](repeating: statement, count: 5)
    others[0].operation = .join
    others[1].session = SessionID(bytes: [UInt8](repeating: 8, count: 16))!
    others[2].peerID[0] ^= 1
    others[3].fields = [1]
    others[4].exported[31] ^= 1
    for other in others { #expect(!other.isProved(by: admission, with: suite)) }
    let stranger = try RoomKeys(room(.lobby), with: suite)
    var forged = admission
    forged.rid = stranger.rid
    #expect(!statement.isProved(by: forged, with: suite))
    forged = admission
    forged.key = stranger.admissionKey
    #expect(!statement.isProved(by: forged, with: suite))
    for index in admission.signature.indices {
      forged = admission
      forged.signature[index] ^= 0x10
      #expect(!statement.isProved(by: forged, with: suite))
    }
  }
}
