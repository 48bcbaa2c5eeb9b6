package import Units
package import Wire

/// The sending half of one reliable stream: cuts messages into segments, sends them again until
/// they are acknowledged, and tells which messages have arrived.
package struct ReliableSender: Sendable {
  /// How long an acknowledgement is waited for.
  package struct Timing: Sendable {
    /// For the first transmission; doubles with every further one, up to `longest`.
    package var first: Interval
    package var longest: Interval

    package init(first: Interval, longest: Interval) {
      self.first = first
      self.longest = longest
    }
    /// docs/protocol.md's figures for the handshake.
    package static let handshake = Timing(first: .milliseconds(50), longest: .seconds(1))
  }
  private struct Entry: Sendable {
    let segment: ReliableSegment
    var transmissions = 0
    var sentAt = Instant.zero
    /// When it is to be sent (again).
    var dueAt = Instant.zero
    var isAcknowledged = false
  }
  private struct Message: Sendable {
    let id: UInt64
    let lastSequence: UInt64
  }

  private let stream: ReliableStream
  private let queueLimit: Int
  package var timing: Timing
  /// All segments not yet acknowledged cumulatively, in order.
  private var entries: [Entry] = []
  /// Messages not yet delivered, in order.
  private var messages: [Message] = []
  private var nextSequence: UInt64 = 0
  private var delivered = OutputQueue<UInt64>()
  /// Payload bytes in `entries`.
  package private(set) var queuedBytes = 0
  /// Measured on a segment that was sent once; taken by the owner.
  package private(set) var roundTrip: Interval?

  /// Segments on their way at once: what a receiver keeps out of order.
  package static let window = 64

  /// `queueLimit`: payload bytes that may wait for acknowledgement.
  package init(stream: ReliableStream, queueLimit: Int, timing: Timing) {
    self.stream = stream
    self.queueLimit = queueLimit
    self.timing = timing
  }

  /// False, and nothing changes, when the queue is full.
  package mutating func enqueue(_ message: [UInt8], id: UInt64) -> Bool {
    precondition(message.count <= ReliableSegment.messageLimit, "callers check the limit")
    guard queuedBytes + message.count <= queueLimit,
      messages.count < Self.messageLimit
    else { return false }
    var start = 0
    repeat {
      let end = min(start + ReliableSegment.payloadLimit, message.count)
      entries.append(
        Entry(
          segment: ReliableSegment(
            stream: stream, sequence: nextSequence,
            head: start == 0 ? .init(id: id, length: message.count) : nil,
            payload: Array(message[start..<end]))))
      nextSequence += 1
      start = end
    } while start < message.count
    messages.append(Message(id: id, lastSequence: nextSequence - 1))
    queuedBytes += message.count
    return true
  }
  private static let messageLimit = 1_024

  /// The next segment that is due, the oldest first.
  package mutating func nextSegment(at now: Instant) -> ReliableSegment? {
    for index in entries.indices.prefix(Self.window)
    where !entries[index].isAcknowledged && entries[index].dueAt <= now {
      let doublings = Int64(min(entries[index].transmissions, 16))
      let wait = Interval(nanoseconds: timing.first.nanoseconds << doublings)
      entries[index].transmissions += 1
      entries[index].sentAt = now
      entries[index].dueAt = now + min(wait, timing.longest)
      return entries[index].segment
    }
    return nil
  }

  package mutating func acknowledge(_ acknowledgement: Acknowledgement, at now: Instant) {
    guard acknowledgement.next <= nextSequence else { return }
    var newest: Instant?
    while let first = entries.first, first.segment.sequence < acknowledgement.next {
      if !first.isAcknowledged { measure(first, at: now) }
      newest = max(newest ?? first.sentAt, first.sentAt)
      queuedBytes -= first.segment.payload.count
      entries.removeFirst()
    }
    for index in entries.indices where !entries[index].isAcknowledged {
      let sequence = entries[index].segment.sequence
      guard sequence > acknowledgement.next, sequence - acknowledgement.next <= 64,
        acknowledgement.later >> (sequence - acknowledgement.next - 1) & 1 == 1
      else { continue }
      measure(entries[index], at: now)
      entries[index].isAcknowledged = true
      newest = max(newest ?? entries[index].sentAt, entries[index].sentAt)
    }
    resendPassed(sentBefore: newest, at: now)
    while let first = messages.first, first.lastSequence < acknowledgement.next {
      delivered.append(first.id)
      messages.removeFirst()
    }
  }

  /// What was sent well before something that has arrived is taken as lost (after RFC 9002 §6.1).
  private mutating func resendPassed(sentBefore newest: Instant?, at now: Instant) {
    guard let newest else { return }
    let reordering = max(Interval.milliseconds(5), (roundTrip ?? .zero) / 4)
    for index in entries.indices
    where !entries[index].isAcknowledged && entries[index].transmissions > 0 {
      if entries[index].sentAt + reordering < newest { entries[index].dueAt = now }
    }
  }

  private mutating func measure(_ entry: Entry, at now: Instant) {
    if entry.transmissions == 1 { roundTrip = now - entry.sentAt }
  }

  /// The way has changed: all that is not acknowledged is due at once.
  package mutating func resendAll(at now: Instant) {
    for index in entries.indices where entries[index].transmissions > 0 {
      entries[index].transmissions = 1
      entries[index].dueAt = now
    }
  }

  package mutating func nextDelivered() -> UInt64? { delivered.next() }

  /// When the next segment is due; in the past for one that was never sent.
  package var nextDue: Instant? {
    var earliest: Instant?
    for index in 0..<min(entries.count, Self.window) where !entries[index].isAcknowledged {
      earliest = min(entries[index].dueAt, earliest ?? entries[index].dueAt)
    }
    return earliest
  }
}
