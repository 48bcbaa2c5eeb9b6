import Units
package import Wire

/// The receiving half of one reliable stream: puts segments in order, and messages together.
package struct ReliableReceiver: Sendable {
  package struct Message: Hashable, Sendable {
    package var id: UInt64
    package var bytes: [UInt8]

    package init(id: UInt64, bytes: [UInt8]) {
      self.id = id
      self.bytes = bytes
    }
  }
  /// The other side broke the rules of segments; the message at fault is skipped.
  package enum Violation: Error, Hashable, Sendable {
    case headExpected
    case headInMessage
    case tooLong(found: Int, limit: Int)
  }

  private let stream: ReliableStream
  private let messageLimit: Int
  /// Every segment below it has been taken.
  private var next: UInt64 = 0
  /// Segments that came before their turn, at most `ReliableSender.window`.
  private var waiting: [UInt64: ReliableSegment] = [:]
  private var head: ReliableSegment.Head?
  private var assembled: [UInt8] = []
  private var messages = OutputQueue<Message>()

  package init(stream: ReliableStream, messageLimit: Int = ReliableSegment.messageLimit) {
    self.stream = stream
    self.messageLimit = messageLimit
  }

  /// Takes a segment; one that came before, or is far ahead of what is missing, changes nothing.
  package mutating func receive(_ segment: ReliableSegment) throws(Violation) {
    guard segment.sequence >= next, segment.sequence - next < UInt64(ReliableSender.window) else {
      return
    }
    waiting[segment.sequence] = segment
    var violation: Violation?
    while let ready = waiting.removeValue(forKey: next) {
      next += 1
      do throws(Violation) { try assemble(ready) } catch {
        head = nil
        assembled = []
        violation = error
      }
    }
    if let violation { throw violation }
  }

  private mutating func assemble(_ segment: ReliableSegment) throws(Violation) {
    if let begun = segment.head {
      guard head == nil else { throw .headInMessage }
      guard begun.length <= messageLimit else {
        throw .tooLong(found: begun.length, limit: messageLimit)
      }
      head = begun
    }
    guard let head else { throw .headExpected }
    guard assembled.count + segment.payload.count <= head.length else {
      throw .tooLong(found: assembled.count + segment.payload.count, limit: head.length)
    }
    assembled += segment.payload
    guard assembled.count == head.length else { return }
    messages.append(Message(id: head.id, bytes: assembled))
    self.head = nil
    assembled = []
  }

  package mutating func nextMessage() -> Message? { messages.next() }

  package var acknowledgement: Acknowledgement {
    var later: UInt64 = 0
    for bit in 0..<UInt64(64) where waiting[next + 1 + bit] != nil { later |= 1 << bit }
    return Acknowledgement(stream: stream, next: next, later: later)
  }
}
