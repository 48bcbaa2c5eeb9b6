import Links
import Units
import Wire

/// What follows from how our sockets were seen.
extension FamilyFindings {
  /// How the router gives out ports (RFC 4787 §4.1), as far as those who were asked can tell.
  enum Mapping: Hashable, Sendable {
    /// It is seen under an address of its own.
    case untranslated
    /// The same for every destination.
    case independent
    /// The same for two ports of one address; whether for two addresses nobody was there to tell.
    case sameForPorts
    /// Another for another destination.
    case dependent
    /// One destination was asked. Routers that keep the port numbers they find are nearly always of the
    /// first kind, those that never keep them often of the last.
    case unknown(keepsPorts: Bool)
  }

  /// `nil` where nobody has seen us.
  var mapping: Mapping? {
    guard let first = sightings.first else { return nil }
    if isLoopback || ownAddresses.contains(first.seen.ip) { return .untranslated }
    var found: Mapping?
    for (index, sighting) in sightings.enumerated() {
      for other in sightings[..<index]
      where other.socket == sighting.socket && other.asked != sighting.asked {
        if other.seen != sighting.seen { return .dependent }
        let isElsewhere = other.asked.ip != sighting.asked.ip
        if isElsewhere || found == nil { found = isElsewhere ? .independent : .sameForPorts }
      }
    }
    return found ?? .unknown(keepsPorts: sightings.allSatisfy { $0.seen.port == $0.port })
  }

  enum Reach: Hashable, Sendable {
    case nobody
    /// Who lets anybody in.
    case some
    /// All but those whose mapping is dependent and who meet a filter here.
    case most
    case all
  }

  /// Whom this family joins directly over UDP: datagrams of both sides at once open the way where each
  /// knows where the other's will come from (RFC 5128 §3.3).
  var reach: Reach {
    switch mapping {
    case nil: .nobody
    case .untranslated, .independent: filtering == .none ? .all : .most
    case .sameForPorts, .unknown(keepsPorts: true): .most
    case .dependent: filtering == .none ? .most : .some
    case .unknown(keepsPorts: false): .some
    }
  }
}

extension RelayFinding {
  var works: Bool {
    if case .allocated = outcome { return carries != false }
    return false
  }
}

extension NetworkFindings {
  /// The family that calls rest on: not everybody has IPv6, unless the server demands it.
  private var mainFamily: StunFamily { v4.isServed || !v6.isServed ? .v4 : .v6 }
  var main: FamilyFindings { mainFamily == .v4 ? v4 : v6 }

  /// Who has IPv4 alone is met over a relay at most: this computer has none.
  var lacksV4: Bool {
    mainFamily == .v4 && !v4.isLoopback && v4.ownAddresses.isEmpty && !v6.ownAddresses.isEmpty
  }

  /// Over it we meet most: who has no IPv4 himself gets an address of it there, as we would.
  func meetsMost(over relay: RelayFinding) -> Bool {
    relay.works && (relay.given == .v4 || mainFamily == .v6)
  }
}

extension ExpectedPath {
  /// The best that most calls can expect; a relay counts only where nothing better leads to most.
  init(_ findings: Findings) {
    let (network, choices) = (findings.network, findings.choices)
    guard case .entered = network.server else {
      self = .none
      return
    }
    let hasRelay = network.relays.contains(where: network.meetsMost)
    if choices.ways == .relayed {
      self = hasRelay ? .relay : network.relays.contains(where: \.works) ? .directToSome : .none
      return
    }
    let served = [network.v4, network.v6].filter(\.isServed)
    if served.allSatisfy(\.isLoopback) {
      // What is kept to another interface never comes to this computer itself.
      self = (choices.interface ?? "lo") == "lo" ? .thisComputer : .none
      return
    }
    // Nothing opens a way for TCP as two datagrams do: one side must let strangers in.
    switch choices.transport == .tcp ? .some : network.main.reach {
    case .all: self = .direct
    case .most: self = .directToMost
    case _ where hasRelay: self = .relay
    case .nobody where choices.transport == .udp: self = .none
    case .some, .nobody: self = .directToSome
    }
  }
}
