package import Units
import Wire

/// Tells whoever asks what it looks like from here (RFC 8489), and nothing else.
package final class SimulatedStunServer {
  package static let port: UInt16 = 3_478
  package let host: SimulatedHost

  package init(_ network: SimulatedNetwork, line: AccessLine = .cable) {
    host = network.addHost("STUN server", line: line)
    let socket = host.bindDatagram(port: Self.port).0
    host.program = { [unowned host] event in
      guard case .datagram(let bytes, let from, _) = event,
        let answer = Self.answer(to: bytes, from: from)
      else { return }
      host.transmit(answer, to: from, from: socket)
    }
  }

  /// One of each family.
  package var addresses: [SocketAddress] {
    host.addresses.map { SocketAddress($0, port: Self.port) }
  }

  private static func answer(to bytes: [UInt8], from: SocketAddress) -> [UInt8]? {
    guard let request = try? StunMessage.Received(bytes).message, request.kind == .request,
      request.method == .binding
    else { return nil }
    let answer = StunMessage(
      .success, transactionID: request.transactionID, attributes: [.xorMappedAddress(from)])
    var writer = ByteWriter()
    answer.write(to: &writer)
    return writer.bytes
  }
}
