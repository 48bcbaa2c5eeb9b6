package import Rooms
package import Wire

/// A room as its owner made it: what members share, and the record that the server stores.
package struct SimulatedRoom: Sendable {
  package let id: RoomID
  package let keys: RoomKeys
  package let record: RoomRecord

  /// A room without password, lobby or certificates. `policy` is what the owner signs; the server
  /// is told nothing of it, as if it didn't obey.
  package init(
    owner: SimulatedIdentity, policy: RoomPolicy = RoomPolicy(), with suite: SimulatedCipherSuite
  ) throws(RoomKeysError) {
    let nonce = suite.randomBytes(32)
    id = RoomID.create(
      flags: [], ownerKeyInfo: owner.publicKeyInfo, nonce: nonce, with: suite)
    keys = try RoomKeys(id, with: suite)
    let charter = keys.signedCharter(policy, version: 1, nonce: nonce, by: owner)
    record = RoomRecord(
      terms: RoomTerms(owner: owner.keyHash),
      sealed: keys.sealed(charter, iv: suite.randomBytes(12), with: suite))
  }
}

/// Folds ASCII: enough for the names of a simulation.
package struct SimulatedFolding: TextFolding {
  package init() {}
  package func composed(_ text: String) -> String { text }
  package func folded(_ text: String) -> String { text.lowercased() }
}
