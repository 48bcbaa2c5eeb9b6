package import Units

/// What the box between a local network and the rest does to packets: the address translator and
/// firewall of a home, an office or a carrier, in the terms of RFC 4787 (UDP) and RFC 5382 (TCP).
package struct GatewayBehavior: Hashable, Sendable {
  /// What of the other side makes a difference.
  package enum Dependence: Hashable, Sendable {
    case endpointIndependent
    case addressDependent
    case addressAndPortDependent

    /// Whether what holds for `one` holds for `other` too.
    func joins(_ one: SocketAddress, _ other: SocketAddress) -> Bool {
      switch self {
      case .endpointIndependent: true
      case .addressDependent: one.ip == other.ip
      case .addressAndPortDependent: one == other
      }
    }
  }
  package enum PortAssignment: Hashable, Sendable {
    /// The sender's own, or the next one that is free (RFC 4787 §4.2.1).
    case preserved
    /// Any of 1024…65535, which nobody can foretell.
    case random
  }
  package enum DatagramPolicy: Hashable, Sendable {
    case pass
    /// To and from the servers that the gateway knows, and nobody else.
    case serversOnly
    case blocked
  }
  package enum StrayPolicy: Hashable, Sendable {
    case dropped
    case reset
  }
  package enum IPv6Policy: Hashable, Sendable {
    case none
    case open
    /// A stateful filter (RFC 6092): what was not sent to does not get in. No address is translated.
    case filtered(Dependence)
  }

  /// Which destinations share one outside port of an inside socket (RFC 4787 §4.1).
  package var mapping = Dependence.endpointIndependent
  /// From whom datagrams get in at a mapping, once one was sent to somebody (RFC 4787 §5).
  package var filtering = Dependence.addressAndPortDependent
  package var ports = PortAssignment.preserved
  /// Whether two inside reach each other by their outside addresses (RFC 4787 §6).
  package var hairpins = false
  package var datagrams = DatagramPolicy.pass
  /// TCP ports outside that may be dialled; `nil`: all.
  package var streamPorts: [UInt16]?
  /// What happens to TCP that belongs to no known connection: a call from outside, or the rest of
  /// a connection that was forgotten.
  package var strayStreams = StrayPolicy.dropped
  /// How long a datagram's way stays open after the last one that was sent out. Those that come in
  /// don't count (RFC 4787 §4.3).
  package var datagramLifetime = Interval.seconds(120)
  package var ipv6 = IPv6Policy.none

  package init() {}

  package init(
    mapping: Dependence = .endpointIndependent, filtering: Dependence = .addressAndPortDependent
  ) {
    self.mapping = mapping
    self.filtering = filtering
  }

  /// RFC 5382 §5: established connections live for 2 h 4 min without traffic.
  static let streamLifetime = Interval.seconds(7_440)
}
