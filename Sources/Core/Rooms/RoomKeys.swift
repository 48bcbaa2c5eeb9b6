package import Ciphers
import Wire

package enum RoomKeysError: Error, Hashable, Sendable, CustomStringConvertible {
  case passwordNeeded
  case passwordEmpty
  /// scrypt had not the memory that it needs.
  case outOfMemory

  package var description: String {
    switch self {
    case .passwordNeeded: "the room has a password; give it with --password-file"
    case .passwordEmpty: "the password is empty; a room with a password needs one"
    case .outOfMemory: "there is not enough memory to check the password; 64 MiB are needed"
    }
  }
}

/// All that a room id (and password) gives: docs/protocol.md "Keys".
package struct RoomKeys: Sendable {
  package let room: RoomID
  /// K_auth: proves membership on links.
  package let authentication: [UInt8]
  /// K_box: seals what members tell each other through the server.
  package let box: [UInt8]
  /// K_room: seals the room's charter.
  package let charter: [UInt8]
  /// Seed of the Ed25519 key that proves the right to enter to the server.
  package let admissionSeed: [UInt8]
  package let admissionKey: [UInt8]
  /// The room's 16-byte name at the server; says nothing about the secret.
  package let rid: [UInt8]

  /// `password` is needed exactly where the room's flags say so, and ignored elsewhere.
  package init(
    _ room: RoomID, password: String? = nil, folding: (any TextFolding)? = nil,
    with suite: some CipherSuite
  ) throws(RoomKeysError) {
    var stretched: [UInt8] = []
    if room.flags.contains(.password) {
      guard let password, let folding else { throw .passwordNeeded }
      stretched = try Self.stretched(folding.composed(password), of: room, with: suite)
    }
    self.room = room
    let master = suite.hkdfExtract(
      salt: joinedFields(protocolLabel("keys")),
      keyMaterial: joinedFields([room.head], room.secret, stretched))
    let expanded = { suite.derivedKey(master, info: joinedFields(protocolLabel($0))) }
    authentication = expanded("auth")
    box = expanded("box")
    charter = expanded("room")
    admissionSeed = expanded("admit")
    admissionKey = suite.admissionPublicKey(seed: admissionSeed)
    rid = Self.rid(ofAdmissionKey: admissionKey, with: suite)
  }

  /// PW: scrypt with N = 2^16, r = 8, p = 1, salted by the room.
  private static func stretched(
    _ password: String, of room: RoomID, with suite: some CipherSuite
  ) throws(RoomKeysError) -> [UInt8] {
    if password.isEmpty { throw .passwordEmpty }
    let extracted = suite.hkdfExtract(
      salt: [], keyMaterial: joinedFields([room.head], room.secret))
    let salt = suite.derivedKey(extracted, info: joinedFields(protocolLabel("pw")))
    let key = suite.scrypt(
      password: Array(password.utf8), salt: salt, n: 1 << 16, r: 8, p: 1)
    guard let key else { throw .outOfMemory }
    return key
  }

  /// What the server checks before anything else.
  package static func rid(ofAdmissionKey key: [UInt8], with suite: some CipherSuite) -> [UInt8] {
    Array(suite.sha256(joinedFields(protocolLabel("rid"), key)).prefix(16))
  }

  /// 8 hexadecimal digits that tell rooms apart in events and titles; lead to neither rid nor id.
  package func hint(with suite: some CipherSuite) -> String {
    suite.sha256(joinedFields(protocolLabel("hint"), rid)).prefix(4)
      .map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
  }
}

extension RoomKeys: CustomStringConvertible, CustomReflectable {
  package var description: String { "(a room's keys)" }
  package var customMirror: Mirror { Mirror(self, children: [:]) }
}
