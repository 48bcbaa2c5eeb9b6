import Rooms
import Runtime

/// What the hall tells a worker.
enum WorkerOrder: Sendable {
  case adopt(ConnectionID, AcceptedStream)
  case send(ConnectionID, [UInt8])
  /// Once all was sent.
  case close(ConnectionID)
  case reset(ConnectionID)
  /// End the thread; what is still open is dropped.
  case finish
}

/// What a worker tells the hall.
enum WorkerReport: Sendable {
  case secured(ConnectionID, peerID: [UInt8], exporter: [UInt8])
  case received(ConnectionID, kind: UInt8, body: [UInt8])
  /// Exactly once for each connection that was adopted, and last.
  case closed(ConnectionID)
}

/// A connection on its way to its thread: the hall lets go of it with the order.
struct AcceptedStream: @unchecked Sendable {
  let stream: TCPStream
}
