package import Ciphers
package import Wire

/// What the holder of a room id signs to a server: this operation, on this very connection.
package struct AdmissionStatement: Sendable {
  package enum Operation: String, Hashable, Sendable {
    case create
    case join
  }

  /// Exported from the TLS connection to the server, so that a signature fits no other.
  package static let exporterLabel = "EXPORTER-p2pcall-srv-v1"
  package static let exporterCount = 32

  package var operation: Operation
  package var session: SessionID
  /// SHA-256 of the client certificate's SubjectPublicKeyInfo.
  package var peerID: [UInt8]
  /// The encoded `RoomRecord` of CREATE; empty for JOIN.
  package var fields: [UInt8]
  package var exported: [UInt8]

  package init(
    _ operation: Operation, session: SessionID, peerID: [UInt8], fields: [UInt8] = [],
    exported: [UInt8]
  ) {
    self.operation = operation
    self.session = session
    self.peerID = peerID
    self.fields = fields
    self.exported = exported
  }

  /// A server's check: first the key against the room's name, then the signature.
  package func isProved(by admission: Admission, with suite: some CipherSuite) -> Bool {
    suite.equal(RoomKeys.rid(ofAdmissionKey: admission.key, with: suite), admission.rid)
      && admission.session == session
      && suite.verifyAdmission(
        admission.signature, of: signed(rid: admission.rid),
        publicKey: admission.key)
  }

  package func admission(by keys: RoomKeys, with suite: some CipherSuite) -> Admission {
    admission(seed: keys.admissionSeed, with: suite)
  }

  /// `seed` is the room's admission seed, 32 bytes.
  package func admission(seed: [UInt8], with suite: some CipherSuite) -> Admission {
    let key = suite.admissionPublicKey(seed: seed)
    let rid = RoomKeys.rid(ofAdmissionKey: key, with: suite)
    return Admission(
      rid: rid, session: session, key: key,
      signature: suite.admissionSignature(of: signed(rid: rid), seed: seed))
  }

  /// `op | rid | sid | PeerID | fields | exporter`: what the signature is over.
  package func signed(rid: [UInt8]) -> [UInt8] {
    joinedFields(
      protocolLabel(operation.rawValue), rid, session.bytes, peerID, fields, exported)
  }
}
