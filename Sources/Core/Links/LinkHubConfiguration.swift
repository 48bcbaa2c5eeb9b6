package import Ciphers
package import Units
package import Wire

/// Which carriers a call may use.
package enum Transport: String, Hashable, Sendable {
  case auto
  case udp
  case tcp

  /// The ways to relays that a call with it may use.
  package var relayCarriers: [RelayServer.Carrier] {
    switch self {
    case .auto: [.udp, .tcp, .tls]
    case .udp: [.udp]
    case .tcp: [.tcp, .tls]
    }
  }
}

/// What a `LinkHub` is made from; nothing of it changes during a call.
package struct LinkHubConfiguration: Sendable {
  /// The room's 16-byte id (docs/protocol.md, `rid`).
  package var roomID: [UInt8]
  package var ownSession: SessionID
  /// K_auth, 32 bytes: who holds it is a member.
  package var authenticationKey: [UInt8]
  /// Claimed in IDENTITY; at most `Identity.nameLimit` bytes of it are sent.
  package var displayName: String
  /// Told in HELLO; see `Hello.capabilities`.
  package var capabilities: UInt32
  package var transport: Transport
  package var ways: Ways
  package var sessions: any SecureSessionFactory
  package var ciphers: any CipherSuite
  package var identity: any IdentityKey
  /// `nil`: relays over TLS are not used.
  package var relaySessions: (any RelaySessionFactory)?
  /// Who tells under which addresses our sockets are seen from outside (RFC 8489).
  package var stunServers: [SocketAddress]
  /// Loopback addresses are offered and accepted only where the server itself was reached on one.
  package var allowsLoopback: Bool

  package init(
    roomID: [UInt8], ownSession: SessionID, authenticationKey: [UInt8], displayName: String,
    capabilities: UInt32 = Hello.takesClockedPong, transport: Transport = .auto,
    ways: Ways = .all, sessions: any SecureSessionFactory,
    ciphers: any CipherSuite, identity: any IdentityKey,
    relaySessions: (any RelaySessionFactory)? = nil, stunServers: [SocketAddress] = [],
    allowsLoopback: Bool
  ) {
    self.roomID = roomID
    self.ownSession = ownSession
    self.authenticationKey = authenticationKey
    self.displayName = displayName
    self.capabilities = capabilities
    self.transport = transport
    self.ways = ways
    self.sessions = sessions
    self.ciphers = ciphers
    self.identity = identity
    self.relaySessions = relaySessions
    self.stunServers = stunServers
    self.allowsLoopback = allowsLoopback
  }
}

/// A UDP socket of the runtime, or what is as good as one: an address at a relay, which the hub numbers.
package struct SocketID: Hashable, Sendable {
  package enum Origin: Hashable, Sendable {
    case bound
    /// At a relay, which is spoken with so.
    case relayed(over: Carrier)
  }
  package var origin: Origin
  package var number: Int

  package init(_ number: Int) {
    origin = .bound
    self.number = number
  }
  package static func relayed(_ number: Int, over carrier: Carrier) -> SocketID {
    var id = SocketID(number)
    id.origin = .relayed(over: carrier)
    return id
  }
  package var isRelayed: Bool { origin != .bound }
}

/// A TCP connection of the runtime. The hub numbers those that it has dialled, the runtime those
/// that it accepted; the two ranges don't touch.
package struct StreamID: Hashable, Sendable {
  package enum Origin: Hashable, Sendable {
    case dialed
    case accepted
  }
  package var origin: Origin
  package var number: UInt64

  package static func dialed(_ number: UInt64) -> StreamID {
    StreamID(origin: .dialed, number: number)
  }
  package static func accepted(_ number: UInt64) -> StreamID {
    StreamID(origin: .accepted, number: number)
  }
  /// The hub's, to a relay: no peer has the upper half of these numbers (`StreamCarrier`).
  static func toRelay(_ number: UInt64) -> StreamID { .dialed(relayNumbers | number) }
  package var isToRelay: Bool { origin == .dialed && number >= Self.relayNumbers }
  private static let relayNumbers = UInt64(UInt32.max) << 32

  private init(origin: Origin, number: UInt64) {
    self.origin = origin
    self.number = number
  }
}

/// Where this computer can be reached by itself.
package enum LocalEndpoint: Hashable, Sendable {
  /// A bound UDP socket and an address under which it sends and receives. A socket bound to the
  /// unspecified address is listed once for each of its addresses.
  case datagram(SocketID, SocketAddress)
  /// An address on which TCP connections are accepted.
  case listener(SocketAddress)
}
