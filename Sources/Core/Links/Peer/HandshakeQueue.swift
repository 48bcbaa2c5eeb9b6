import Units

/// Connections to one peer that were made and whose handshakes wait for another's: one is enough, each
/// costs both sides some milliseconds of signatures and certificates, and a computer has an address or
/// two of either family. Only near each other, where a handshake takes no longer than that: far away all go on
/// at once, since one of them loses less.
///
/// RFC 8305 §5 starts connections one after another. Making them costs next to nothing and shows which
/// way is the fastest, so all are made at once, and what is spaced is what comes after.
struct HandshakeQueue {
  struct Connection {
    let stream: StreamID
    let farEnd: SocketAddress
    /// From SYN to SYN-ACK, a round trip if nothing was lost.
    let connectTime: Interval
    var isNear: Bool { connectTime < .milliseconds(10) }
  }
  private var waiting: [Connection] = []
  /// When the next begins although the one before isn't through.
  private var nextAt = Instant.zero

  private static let headStart = Interval.milliseconds(50)

  mutating func add(_ connection: Connection) { waiting.append(connection) }

  /// The connection whose handshake begins now. `isBusy`: another's is under way.
  mutating func next(isBusy: Bool, at now: Instant) -> Connection? {
    guard let first = waiting.first, !isBusy || nextAt <= now || !first.isNear else { return nil }
    nextAt = now + Self.headStart
    return waiting.removeFirst()
  }

  func contains(_ stream: StreamID) -> Bool { waiting.contains { $0.stream == stream } }

  mutating func remove(_ stream: StreamID) -> Connection? {
    waiting.firstIndex { $0.stream == stream }.map { waiting.remove(at: $0) }
  }

  /// None is needed any more.
  mutating func removeAll() -> [StreamID] {
    defer { waiting = [] }
    return waiting.map(\.stream)
  }

  var nextDeadline: Deadline? {
    waiting.isEmpty ? nil : Deadline("next handshake", at: nextAt)
  }
}
