package import Links
package import Units

/// What a computer's network tells its program.
package enum NetworkEvent: Sendable {
  case datagram([UInt8], from: SocketAddress, on: SocketID)
  case accepted(StreamID, from: SocketAddress, at: SocketAddress)
  case dialed(StreamID)
  case dialFailed(StreamID)
  case stream([UInt8], on: StreamID)
  /// The other side ended the connection, or it broke. Not told after `hangUp`.
  case streamClosed(StreamID)
  /// Bytes written that the kernel hasn't taken yet; told when the number changes.
  case backlog(StreamID, Int)
}
