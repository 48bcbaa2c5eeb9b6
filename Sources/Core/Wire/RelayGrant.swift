package import Units

/// A TURN server (RFC 8656) and how to speak with it.
///
///     carrier u8 | address | host field
package struct RelayServer: WireMessage, Hashable {
  package enum Carrier: UInt8, Hashable, Sendable, CaseIterable {
    case udp = 1
    case tcp = 2
    /// TLS over TCP; the certificate must be `host`'s.
    case tls = 3
  }
  package var carrier: Carrier
  package var address: SocketAddress
  /// The name that it was found by, in UTF-8; at most `hostLimit` bytes, and not empty for TLS.
  package var host: [UInt8]

  package static let hostLimit = 253

  /// `host`, if it can be a name or an IP address.
  package var hostName: String? {
    let isPlain = host.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
        UInt8(ascii: ":"):
        true
      default: false
      }
    }
    return isPlain && !host.isEmpty ? String(decoding: host, as: UTF8.self) : nil
  }

  /// Of its own address; those that it gives may be of another.
  package var family: StunFamily { StunFamily(address.ip) }

  package init(_ carrier: Carrier, _ address: SocketAddress, host: [UInt8] = []) {
    self.carrier = carrier
    self.address = address
    self.host = host
  }

  package init(from reader: inout ByteReader) throws(WireError) {
    let number = try reader.u8()
    guard let carrier = Carrier(rawValue: number) else {
      throw .invalid(field: "relay carrier", found: UInt64(number))
    }
    self.carrier = carrier
    address = try SocketAddress(from: &reader)
    host = try reader.field("relay host", limit: Self.hostLimit)
    guard carrier != .tls || !host.isEmpty else { throw .invalid(field: "relay host", found: 0) }
  }

  package func write(to writer: inout ByteWriter) {
    precondition(host.count <= Self.hostLimit, "the server keeps to the limit")
    writer.u8(carrier.rawValue)
    address.write(to: &writer)
    writer.field(host)
  }
}

/// The relays that a member may use, and what they let him in by for a while. The newest replaces all before.
///
///     lifetime u32 | user name field | password field | count u8 × relay
package struct RelayGrant: WireMessage, Hashable {
  /// Seconds from now on.
  package var lifetime: UInt32
  package var credentials: TurnCredentials
  /// At most `serverLimit`, the preferred one first.
  package var servers: [RelayServer]

  package static let serverLimit = 8

  package init(lifetime: UInt32, credentials: TurnCredentials, servers: [RelayServer]) {
    self.lifetime = lifetime
    self.credentials = credentials
    self.servers = servers
  }

  package init(from reader: inout ByteReader) throws(WireError) {
    lifetime = try reader.u32()
    let username = try reader.field("relay user name", limit: TurnCredentials.limit)
    let password = try reader.field("relay password", limit: TurnCredentials.limit)
    guard let credentials = TurnCredentials(username: username, password: password) else {
      throw .invalid(field: "relay credentials", found: 0)
    }
    self.credentials = credentials
    let count = Int(try reader.u8())
    guard count <= Self.serverLimit else {
      throw .tooLong(field: "relays", found: count, limit: Self.serverLimit)
    }
    servers = []
    for _ in 0..<count { servers.append(try RelayServer(from: &reader)) }
  }

  package func write(to writer: inout ByteWriter) {
    precondition(servers.count <= Self.serverLimit, "the server keeps to the limit")
    writer.u32(lifetime)
    writer.field(credentials.username)
    writer.field(credentials.password)
    writer.u8(UInt8(servers.count))
    for server in servers { server.write(to: &writer) }
  }
}
