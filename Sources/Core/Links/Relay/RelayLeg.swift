import Units
import Wire

/// One relay over one carrier: an allocation there, again and again as long as it is granted.
struct RelayLeg {
  let server: RelayServer
  /// The way of what is said to it over UDP; `nil` over TCP, and before it is first asked.
  var path: DatagramPath?
  /// The same over TCP, from its dialling on.
  var stream: StreamID?
  /// When the connection, and TLS on it, must stand; `nil` when they do.
  var connectBy: Instant?
  /// When the connection is dialled anew, unless it stands by then; `nil` when it is not to be.
  var redialAt: Instant?
  /// `nil` before it is asked, and over TCP until the connection stands.
  var exchange: RelayExchange?
  /// The address that is ours there, and what the hub calls it.
  var offer: (socket: SocketID, relayed: SocketAddress)?
  /// When to ask, while nothing is under way.
  var beginAt: Instant?
  /// How it failed last; `nil` where it hasn't.
  var failure: RelayAttempt.End?
  /// It has no address of IPv4 to give, and was asked for one.
  var lacksV4 = false
  /// Whom the relay refuses, and with which code.
  var refusals: [(ip: IPAddress, code: Int)] = []
  private static let refusalLimit = 16
  /// Bytes that the kernel hasn't taken yet, over TCP.
  var backlog = 0

  init(_ server: RelayServer, beginAt: Instant) {
    self.server = server
    self.beginAt = beginAt
  }

  mutating func note(refusal code: Int, of ip: IPAddress) {
    refusals.removeAll { $0.ip == ip }
    if refusals.count < Self.refusalLimit { refusals.append((ip, code)) }
  }

  /// Those of lower ranks are tried first.
  var rank: UInt8 { server.carrier.rawValue }
  var carrier: Carrier { server.carrier == .udp ? .datagram : .stream }
}
