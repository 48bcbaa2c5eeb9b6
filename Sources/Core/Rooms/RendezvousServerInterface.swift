package import Units

/// One connection of a server process; never used twice.
package struct ConnectionID: Hashable, Sendable {
  package var number: UInt64
  package init(_ number: UInt64) { self.number = number }
}

/// What a `RendezvousServer` is told, and wants done.
extension RendezvousServer {
  package enum Input: Sendable {
    /// Accepted by the socket; nothing was read yet.
    case arrived(ConnectionID, from: IPAddress)
    /// TLS is up: the PeerID of its certificate, and the exporter under
    /// `AdmissionStatement.exporterLabel`.
    case secured(ConnectionID, peerID: [UInt8], exporter: [UInt8])
    /// One frame, within `RendezvousFrame.serverLimit`.
    case received(ConnectionID, kind: UInt8, body: [UInt8])
    /// Gone, by whoever's doing; also the end of what `close` and `reset` began.
    case closed(ConnectionID)
    /// No more arrivals: tell everybody and end.
    case drain
  }

  package enum Output: Hashable, Sendable {
    /// Begin TLS.
    case serve(ConnectionID)
    /// A frame, encoded.
    case send(ConnectionID, [UInt8])
    /// Close once all was sent; `closed` follows.
    case close(ConnectionID)
    /// Close at once, also instead of `serve`; `closed` follows.
    case reset(ConnectionID)
    case store(StoredRoom)
    case forget(rid: [UInt8])
    /// The process may end.
    case drained
  }
}
