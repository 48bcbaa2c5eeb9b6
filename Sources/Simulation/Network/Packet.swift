import Units

/// What travels on a line.
struct Packet {
  enum Payload {
    case datagram([UInt8])
    case segment(StreamSegment)
    /// A real IPv4 packet with all its headers; only `CarriedLink` has them.
    case carried([UInt8])
  }

  var from: SocketAddress
  var to: SocketAddress
  var payload: Payload
  /// Whose line it came out of; nobody's where a gateway made it. Nothing on a wire says so.
  var sender: Int?

  /// With the headers of IPv4 (20) or IPv6 (40) and of UDP (8) or TCP (32 with timestamps).
  var wireBytes: ByteCount {
    let network = to.ip.isV4 ? 20 : 40
    return switch payload {
    case .datagram(let bytes): ByteCount(network + 8 + bytes.count)
    case .segment(let segment): ByteCount(network + 32 + segment.bytes.count)
    case .carried(let bytes): ByteCount(bytes.count)
    }
  }
}

/// One segment of a simulated TCP connection; numbers are byte offsets that never wrap.
struct StreamSegment {
  enum Kind: Hashable {
    case open
    case accept
    case data
    /// No more bytes will come after `offset`.
    case finish
    case reset
  }

  var kind: Kind
  var offset: Int64 = 0
  var bytes: [UInt8] = []
  /// Everything before it has arrived.
  var acknowledged: Int64 = 0
  /// When it was sent, and the newest of these that came from the other side (RFC 7323).
  var stamp = Instant.zero
  var echo: Instant?
  /// What has arrived beyond it (RFC 2018), in order.
  var received: [Range<Int64>] = []
}
