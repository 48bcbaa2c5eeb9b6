package import Units
package import Wire

/// All reliable streams between two sessions. They outlive every link: what one link didn't
/// deliver the next one does.
package struct ReliableStreams: Sendable {
  private var senders: [ReliableSender] = kinds.map {
    ReliableSender(
      stream: $0, queueLimit: $0 == .files ? 1_048_576 : 262_144,
      timing: timing(on: .datagram, nil))
  }
  private var receivers: [ReliableReceiver] = kinds.map { ReliableReceiver(stream: $0) }

  /// The more urgent first.
  private static let kinds: [ReliableStream] = [.path, .control, .chat, .files]

  package init() {}

  private func index(_ stream: ReliableStream) -> Int? { Self.kinds.firstIndex(of: stream) }

  private static func timing(
    on carrier: Carrier, _ roundTrip: Interval?
  ) -> ReliableSender.Timing {
    // TCP repeats by itself: what waits there is only made longer by repeating it.
    guard carrier == .datagram else { return .init(first: Liveness.loss, longest: Liveness.loss) }
    let roundTrip = roundTrip ?? .milliseconds(100)
    return .init(
      first: max(.milliseconds(50), roundTrip * 1.5 + .milliseconds(20)), longest: .seconds(2))
  }

  /// What segments go on from now on. Those that were sent on another link are `resendAll`'s.
  package mutating func setCarrier(_ carrier: Carrier, roundTrip: Interval?) {
    for index in senders.indices { senders[index].timing = Self.timing(on: carrier, roundTrip) }
  }

  /// False when the stream's queue is full.
  package mutating func enqueue(_ message: [UInt8], on stream: ReliableStream, id: UInt64) -> Bool {
    guard let index = index(stream) else { return false }
    return senders[index].enqueue(message, id: id)
  }

  package func queuedBytes(on stream: ReliableStream) -> Int {
    index(stream).map { senders[$0].queuedBytes } ?? 0
  }

  package mutating func nextSegment(at now: Instant) -> ReliableSegment? {
    for index in senders.indices {
      if let segment = senders[index].nextSegment(at: now) { return segment }
    }
    return nil
  }

  package mutating func resendAll(at now: Instant) {
    for index in senders.indices { senders[index].resendAll(at: now) }
  }

  package var nextDue: Instant? {
    var earliest: Instant?
    for index in 0..<senders.count {
      guard let due = senders[index].nextDue else { continue }
      earliest = min(due, earliest ?? due)
    }
    return earliest
  }

  package mutating func acknowledge(_ acknowledgement: Acknowledgement, at now: Instant) {
    guard let index = index(acknowledgement.stream) else { return }
    senders[index].acknowledge(acknowledgement, at: now)
  }

  package mutating func nextDelivered() -> (ReliableStream, id: UInt64)? {
    for index in senders.indices {
      if let id = senders[index].nextDelivered() { return (Self.kinds[index], id) }
    }
    return nil
  }

  /// Takes a segment and returns what to acknowledge; `nil` for a stream that isn't one of these.
  package mutating func receive(
    _ segment: ReliableSegment
  ) throws(ReliableReceiver.Violation) -> Acknowledgement? {
    guard let index = index(segment.stream) else { return nil }
    try receivers[index].receive(segment)
    return receivers[index].acknowledgement
  }

  package mutating func nextMessage() -> (ReliableStream, ReliableReceiver.Message)? {
    for index in receivers.indices {
      if let message = receivers[index].nextMessage() { return (Self.kinds[index], message) }
    }
    return nil
  }
}
