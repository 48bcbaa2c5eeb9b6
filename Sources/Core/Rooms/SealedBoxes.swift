package import Ciphers
package import Units
package import Wire

/// Why a box was dropped.
package enum BoxRefusal: Error, Hashable, Sendable {
  /// It claims to come from this very session.
  case ownSession
  /// Not by the claimed sender for us in this room, or altered.
  case forged
  case malformed(WireError)
  /// Not newer than one that was opened.
  case replayed(found: UInt64, highest: UInt64)
  /// A session whose boxes named another link certificate before.
  case secondFingerprint(expected: [UInt8], found: [UInt8])
  /// More than eight a second.
  case tooFrequent
  /// More senders than a call has members.
  case tooManySenders
}

/// What members tell each other through the server, which can't read, alter, replay or redirect
/// it: docs/protocol.md "Boxes".
///
///     seq u64 | AES-256-GCM ciphertext and tag
package struct SealedBoxes: Sendable {
  package static let boxesPerSecond = 8
  private static let senderLimit = 1_024

  private struct Sender: Sendable {
    var highest: UInt64
    var certificateKeyHash: [UInt8]
    /// When the last boxes were opened, oldest first, at most eight.
    var opened: [Instant] = []
  }

  private let suite: any CipherSuite
  private let own: SessionID
  private let rid: [UInt8]
  private let boxKey: [UInt8]
  private var sent: [SessionID: UInt64] = [:]
  private var senders: [SessionID: Sender] = [:]

  package init(_ keys: RoomKeys, own: SessionID, with suite: any CipherSuite) {
    self.suite = suite
    self.own = own
    rid = keys.rid
    boxKey = keys.box
  }

  /// The next box for a member: at most `SealedBox.sealedLimit` bytes.
  package mutating func seal(_ description: LinkDescription, for member: SessionID) -> [UInt8] {
    let sequence = (sent[member] ?? 0) + 1
    sent[member] = sequence
    let channel = BoxChannel(rid: rid, from: own, to: member)
    return channel.seal(description.encoded, sequence: sequence, boxKey: boxKey, with: suite)
  }

  /// The content of a box that the server says is from `sender`.
  package mutating func open(
    _ sealed: [UInt8], from sender: SessionID, at now: Instant
  ) throws(BoxRefusal) -> LinkDescription {
    guard sender != own else { throw .ownSession }
    let channel = BoxChannel(rid: rid, from: sender, to: own)
    guard let (sequence, content) = channel.open(sealed, boxKey: boxKey, with: suite) else {
      throw .forged
    }
    let description: LinkDescription
    do { description = try LinkDescription(decoding: content) } catch { throw .malformed(error) }
    guard var state = senders[sender] else {
      guard senders.count < Self.senderLimit else { throw .tooManySenders }
      senders[sender] = Sender(
        highest: sequence, certificateKeyHash: description.certificateKeyHash, opened: [now])
      return description
    }
    guard sequence > state.highest else {
      throw .replayed(found: sequence, highest: state.highest)
    }
    guard suite.equal(state.certificateKeyHash, description.certificateKeyHash) else {
      throw .secondFingerprint(
        expected: state.certificateKeyHash, found: description.certificateKeyHash)
    }
    state.highest = sequence
    defer { senders[sender] = state }
    if state.opened.count == Self.boxesPerSecond {
      guard now - state.opened[0] >= .seconds(1) else { throw .tooFrequent }
      state.opened.removeFirst()
    }
    state.opened.append(now)
    return description
  }
}

/// Boxes of one ordered pair of sessions.
package struct BoxChannel: Sendable {
  private static let protocolVersion: UInt8 = 1

  package var rid: [UInt8]
  package var from: SessionID
  package var to: SessionID

  package init(rid: [UInt8], from: SessionID, to: SessionID) {
    self.rid = rid
    self.from = from
    self.to = to
  }

  package func seal(
    _ content: [UInt8], sequence: UInt64, boxKey: [UInt8], with suite: some CipherSuite
  ) -> [UInt8] {
    Self.bytes(of: sequence)
      + suite.seal(
        content, key: key(boxKey, with: suite), nonce: Self.nonce(of: sequence),
        associatedData: associatedData(sequence))
  }

  package func open(
    _ sealed: [UInt8], boxKey: [UInt8], with suite: some CipherSuite
  ) -> (sequence: UInt64, content: [UInt8])? {
    var reader = ByteReader(sealed)
    guard let sequence = try? reader.u64() else { return nil }
    let content = suite.open(
      reader.rest(), key: key(boxKey, with: suite), nonce: Self.nonce(of: sequence),
      associatedData: associatedData(sequence))
    return content.map { (sequence, $0) }
  }

  private func key(_ boxKey: [UInt8], with suite: some CipherSuite) -> [UInt8] {
    suite.derivedKey(boxKey, info: joinedFields(protocolLabel("box"), from.bytes, to.bytes))
  }

  private func associatedData(_ sequence: UInt64) -> [UInt8] {
    joinedFields([Self.protocolVersion], rid, from.bytes, to.bytes, Self.bytes(of: sequence))
  }

  private static func nonce(of sequence: UInt64) -> [UInt8] { [0, 0, 0, 0] + bytes(of: sequence) }

  private static func bytes(of sequence: UInt64) -> [UInt8] {
    var writer = ByteWriter(reserving: 8)
    writer.u64(sequence)
    return writer.bytes
  }
}
