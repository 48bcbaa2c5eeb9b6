import Rooms
package import Units

/// Tells whoever asks what it looks like from here, by the rendezvous server's own responder.
package final class SimulatedStunServer {
  package static let port: UInt16 = 3_478
  package let host: SimulatedHost

  package init(_ network: SimulatedNetwork, line: AccessLine = .cable) {
    host = network.addHost("STUN server", line: line)
    let socket = host.bindDatagram(port: Self.port).0
    host.program = { [unowned host] event in
      guard case .datagram(let bytes, let from, _) = event,
        let answer = StunResponder.answer(to: bytes, from: from)
      else { return }
      host.transmit(answer, to: from, from: socket)
    }
  }

  /// One of each family.
  package var addresses: [SocketAddress] {
    host.addresses.map { SocketAddress($0, port: Self.port) }
  }
}
