package import Ciphers
package import Wire

/// A room's address at a server (`rid`): what its admission key commits it to, 16 bytes.
package func rendezvousAddress(admissionKey: [UInt8], _ ciphers: any CipherSuite) -> [UInt8] {
  Array(ciphers.sha256(joinedFields(label("rid"), admissionKey))[..<16])
}

extension Admission {
  /// What the signature covers: operation, room, session, the client's PeerID, the request's own
  /// fields, and the exporter of this connection, so that it is good for no other.
  private static func transcript(
    _ operation: RendezvousKind, rid: [UInt8], session: SessionID, peerID: [UInt8],
    record: RoomRecord?, exporter: [UInt8]
  ) -> [UInt8] {
    joinedFields(
      label(operation == .create ? "create" : "join"), rid, session.bytes, peerID,
      record?.encoded ?? [], exporter)
  }

  /// With `record` for CREATE, without for JOIN. `exporter`: 32 bytes under `exporterLabel`.
  package init(
    seed: [UInt8], session: SessionID, peerID: [UInt8], record: RoomRecord?, exporter: [UInt8],
    _ ciphers: any CipherSuite
  ) {
    let key = ciphers.admissionPublicKey(seed: seed)
    let rid = rendezvousAddress(admissionKey: key, ciphers)
    let transcript = Self.transcript(
      record == nil ? .join : .create, rid: rid, session: session, peerID: peerID,
      record: record, exporter: exporter)
    self.init(
      rid: rid, session: session, key: key,
      signature: ciphers.admissionSignature(of: transcript, seed: seed))
  }

  /// Whether the key is the room's and the signature is this connection's. Both checks are always
  /// made, so that the time tells nothing.
  func isRight(
    peerID: [UInt8], record: RoomRecord?, exporter: [UInt8], _ ciphers: any CipherSuite
  ) -> Bool {
    let keyIsRight = ciphers.equal(rendezvousAddress(admissionKey: key, ciphers), rid)
    let transcript = Self.transcript(
      record == nil ? .join : .create, rid: rid, session: session, peerID: peerID,
      record: record, exporter: exporter)
    let signatureIsRight = ciphers.verifyAdmission(signature, of: transcript, publicKey: key)
    return keyIsRight && signatureIsRight
  }

  /// Of the TLS exporter (RFC 8446 §7.5) that binds an admission to its connection; 32 bytes.
  package static let exporterLabel = "EXPORTER-p2pcall-srv-v1"
}

private func label(_ name: String) -> [UInt8] { Array("p2pcall/v1/\(name)".utf8) }
