import Units

/// What decides where a packet goes: all that a gateway reads and rewrites.
struct PacketHeader: Hashable {
  enum Content: Hashable {
    case datagram
    case segment(StreamSegment.Kind)

    var isDatagram: Bool { self == .datagram }
  }

  var from: SocketAddress
  var to: SocketAddress
  var content: Content

  /// What answers it where nobody wants it.
  var reset: PacketHeader { PacketHeader(from: to, to: from, content: .segment(.reset)) }
}

extension Packet {
  /// Nil for a real packet: none is on the simulated network.
  var header: PacketHeader? {
    switch payload {
    case .datagram: PacketHeader(from: from, to: to, content: .datagram)
    case .segment(let segment):
      PacketHeader(from: from, to: to, content: .segment(segment.kind))
    case .carried: nil
    }
  }

  func readdressed(_ header: PacketHeader) -> Packet {
    var packet = self
    packet.from = header.from
    packet.to = header.to
    return packet
  }
}
