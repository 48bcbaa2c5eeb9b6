import Links
import Units

/// What a session has to tell, first in, first out, and where it stands.
struct SessionOutputs {
  enum Phase {
    case fresh
    case handshaking
    case established
    /// Closed by either side, or failed: nothing goes in or out any more.
    case over
  }

  var phase = Phase.fresh
  private var queue = OutputQueue<SecureSessionOutput>()

  mutating func append(_ output: SecureSessionOutput) { queue.append(output) }

  mutating func next() -> SecureSessionOutput? { queue.next() }

  mutating func transmit(from connection: SSLConnection) {
    while let bytes = connection.nextOutbound() { append(.transmit(bytes)) }
  }

  mutating func end(_ output: SecureSessionOutput) {
    phase = .over
    append(output)
  }
}
