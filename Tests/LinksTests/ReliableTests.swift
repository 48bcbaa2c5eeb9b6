import Links
import Testing
import Units
import Wire

@Suite struct ReliableTests {
  private let start = Instant(nanoseconds: 1_000_000_000)
  private let timing = ReliableSender.Timing(first: .milliseconds(50), longest: .seconds(1))

  /// A sender by reference: expectations can't call what mutates a value.
  private final class Outbox {
    var sender: ReliableSender
    init(_ sender: ReliableSender) { self.sender = sender }

    func enqueue(_ message: [UInt8], id: UInt64) -> Bool { sender.enqueue(message, id: id) }
    func segments(at now: Instant) -> [ReliableSegment] {
      var segments: [ReliableSegment] = []
      while let segment = sender.nextSegment(at: now) { segments.append(segment) }
      return segments
    }
    func due(_ now: Instant) -> [UInt64] { segments(at: now).map(\.sequence) }
    func acknowledge(next: UInt64, later: UInt64, at now: Instant) {
      sender.acknowledge(.init(stream: .chat, next: next, later: later), at: now)
    }
    func delivered() -> [UInt64] {
      var ids: [UInt64] = []
      while let id = sender.nextDelivered() { ids.append(id) }
      return ids
    }
  }

  private func outbox(queueLimit: Int = 1_000_000) -> Outbox {
    Outbox(ReliableSender(stream: .chat, queueLimit: queueLimit, timing: timing))
  }

  private func messages(_ receiver: inout ReliableReceiver) -> [ReliableReceiver.Message] {
    var messages: [ReliableReceiver.Message] = []
    while let message = receiver.nextMessage() { messages.append(message) }
    return messages
  }

  @Test func `a message is cut into segments that fit a datagram`() {
    let sender = outbox()
    let message = SeededBytes.make(2_500)
    #expect(sender.enqueue(message, id: 7))
    let segments = sender.segments(at: start)
    #expect(segments.map(\.sequence) == [0, 1, 2])
    #expect(segments.map(\.head) == [.init(id: 7, length: 2_500), nil, nil])
    #expect(segments.flatMap(\.payload) == message)
  }

  @Test func `a segment is sent again after 50 ms, then 100, 200, up to a second`() {
    let sender = outbox()
    _ = sender.enqueue([1], id: 1)
    var now = start
    #expect(sender.due(now) == [0])
    for wait in [50, 100, 200, 400, 800, 1_000, 1_000] {
      #expect(sender.sender.nextDue == now + .milliseconds(Int64(wait)))
      now += .milliseconds(Int64(wait)) - .nanoseconds(1)
      #expect(sender.due(now) == [])
      now += .nanoseconds(1)
      #expect(sender.due(now) == [0])
    }
    sender.acknowledge(next: 1, later: 0, at: now)
    #expect(sender.sender.nextDue == nil)
    #expect(sender.delivered() == [1])
    #expect(sender.sender.queuedBytes == 0)
  }

  @Test func `a message is delivered when all before it are`() {
    let sender = outbox()
    for id in 0..<3 { _ = sender.enqueue([UInt8(id)], id: UInt64(id)) }
    _ = sender.due(start)
    sender.acknowledge(next: 0, later: 0b11, at: start)
    #expect(sender.delivered() == [])
    sender.acknowledge(next: 3, later: 0, at: start)
    #expect(sender.delivered() == [0, 1, 2])
  }

  @Test func `what was passed by something sent well after it is sent again at once`() {
    let sender = outbox()
    _ = sender.enqueue([0], id: 0)
    _ = sender.due(start)
    let later = start + .milliseconds(20)
    _ = sender.enqueue([1], id: 1)
    _ = sender.due(later)
    let now = later + .milliseconds(10)
    sender.acknowledge(next: 0, later: 0b1, at: now)
    #expect(sender.due(now) == [0])
  }

  @Test func `no more than a window is on its way`() {
    let sender = outbox()
    for id in 0..<100 { _ = sender.enqueue([0], id: UInt64(id)) }
    #expect(sender.due(start).count == ReliableSender.window)
    sender.acknowledge(next: 10, later: 0, at: start)
    #expect(sender.due(start) == (64..<74).map { UInt64($0) })
  }

  @Test func `a full queue takes nothing and changes nothing`() {
    let sender = outbox(queueLimit: 10)
    #expect(sender.enqueue([UInt8](repeating: 0, count: 8), id: 1))
    #expect(!sender.enqueue([1, 2, 3], id: 2))
    #expect(sender.enqueue([1, 2], id: 3))
    #expect(sender.due(start) == [0, 1])
  }

  @Test func `acknowledgements of what was never sent change nothing`() {
    let sender = outbox()
    _ = sender.enqueue([1], id: 1)
    sender.acknowledge(next: .max, later: .max, at: start)
    #expect(sender.delivered() == [])
    #expect(sender.due(start) == [0])
  }

  @Test func `an empty message arrives as one`() throws {
    let sender = outbox()
    #expect(sender.enqueue([], id: 4))
    let segment = try #require(sender.segments(at: start).first)
    var receiver = ReliableReceiver(stream: .chat)
    try receiver.receive(segment)
    let found = messages(&receiver)
    #expect(found == [.init(id: 4, bytes: [])])
  }

  @Test(arguments: 1...20)
  func `any order and any repetition of segments gives the messages once`(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let sender = outbox()
    let lines = (0..<12).map { SeededBytes.make($0 * 400, seed: UInt64($0)) }
    for (id, message) in lines.enumerated() { _ = sender.enqueue(message, id: UInt64(id)) }
    let segments = sender.segments(at: start)
    var receiver = ReliableReceiver(stream: .chat)
    for segment in (segments + segments + segments).shuffled(using: &random) {
      try receiver.receive(segment)
    }
    let found = messages(&receiver).map(\.bytes)
    #expect(found == lines)
    let expected = Acknowledgement(stream: .chat, next: UInt64(segments.count), later: 0)
    #expect(receiver.acknowledgement == expected)
  }

  @Test func `what is far ahead isn't kept, what is ahead is told`() throws {
    var receiver = ReliableReceiver(stream: .chat)
    func segment(_ sequence: UInt64) -> ReliableSegment {
      ReliableSegment(
        stream: .chat, sequence: sequence, head: .init(id: sequence, length: 1), payload: [0])
    }
    for sequence: UInt64 in [2, 63, 64, 1_000, .max] { try receiver.receive(segment(sequence)) }
    #expect(receiver.acknowledgement == .init(stream: .chat, next: 0, later: 1 << 1 | 1 << 62))
  }

  @Test func `a broken message is refused and the next one taken`() throws {
    func segment(
      _ sequence: UInt64, _ head: ReliableSegment.Head?, _ count: Int
    ) -> ReliableSegment {
      ReliableSegment(
        stream: .chat, sequence: sequence, head: head,
        payload: [UInt8](repeating: 1, count: count))
    }
    var receiver = ReliableReceiver(stream: .chat, messageLimit: 100)
    #expect(throws: ReliableReceiver.Violation.headExpected) {
      try receiver.receive(segment(0, nil, 1))
    }
    #expect(throws: ReliableReceiver.Violation.tooLong(found: 101, limit: 100)) {
      try receiver.receive(segment(1, .init(id: 1, length: 101), 1))
    }
    #expect(throws: ReliableReceiver.Violation.tooLong(found: 6, limit: 5)) {
      try receiver.receive(segment(2, .init(id: 1, length: 5), 6))
    }
    try receiver.receive(segment(3, .init(id: 1, length: 5), 2))
    #expect(throws: ReliableReceiver.Violation.headInMessage) {
      try receiver.receive(segment(4, .init(id: 2, length: 5), 2))
    }
    let none = messages(&receiver)
    #expect(none == [])
    try receiver.receive(segment(5, .init(id: 9, length: 2), 2))
    let found = messages(&receiver)
    #expect(found == [.init(id: 9, bytes: [1, 1])])
  }
}

/// Bytes that differ from place to place, so that a segment in the wrong place shows.
enum SeededBytes {
  static func make(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var random = SeededRandom(seed: seed)
    return random.bytes(count)
  }
}
