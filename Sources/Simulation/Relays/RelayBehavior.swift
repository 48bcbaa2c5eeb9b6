package import Units

/// What a relay (TURN, RFC 8656) does, as far as it decides who meets whom over it. The simulated
/// relay obeys it, and the search for ways knows of relays nothing else.
package struct RelayBehavior: Hashable, Sendable {
  /// How it can be asked.
  package enum Carrier: Hashable, Sendable, CaseIterable {
    case udp
    case tcp
    /// At port 443, which firewalls leave open.
    case tls

    package var port: UInt16 { self == .tls ? 443 : 3_478 }
  }

  package var name: String
  package var carriers: [Carrier]
  /// Otherwise it has an address of IPv4 alone.
  package var hasIPv6 = true
  /// As the configuration that is given to people has it (THREATS S16), whose list holds the
  /// documentation's addresses too: of these the simulated Internet consists.
  package var deniesPrivatePeers = true
  /// Until a nonce is stale.
  package var nonceLifetime = Interval.seconds(600)
  /// Of one user, which is a room.
  package var allocationLimit = 32

  package init(name: String, _ carriers: [Carrier]) {
    self.name = name
    self.carriers = carriers
  }

  /// Whether it lets datagrams pass to and from there, if a client asks for it.
  package func permits(_ peer: IPAddress) -> Bool {
    !peer.isMulticast && !(deniesPrivatePeers && peer.isInternal)
  }

  /// Whether it has an address of this one's family, to be asked at and to give away.
  package func has(_ address: IPAddress) -> Bool { address.isV4 || hasIPv6 }
}

extension RelayBehavior: CustomStringConvertible {
  package var description: String { name }
}

extension RelayBehavior {
  package static let udp = RelayBehavior(name: "relay over UDP", [.udp])
  package static let tcp = RelayBehavior(name: "relay over TCP", [.tcp])
  package static let tls = RelayBehavior(name: "relay over TLS", [.tls])
  package static let all = RelayBehavior(name: "relay over all", Carrier.allCases)
  package static let v4 = {
    var behavior = RelayBehavior(name: "relay of IPv4", Carrier.allCases)
    behavior.hasIPv6 = false
    return behavior
  }()
  /// Its nonces are stale before a join is over, and it says of no peer that it may not be sent to.
  package static let hasty = {
    var behavior = RelayBehavior(name: "hasty relay", Carrier.allCases)
    behavior.nonceLifetime = .milliseconds(300)
    behavior.deniesPrivatePeers = false
    return behavior
  }()

  package static let presets = [udp, tcp, tls, all, v4, hasty]
}
