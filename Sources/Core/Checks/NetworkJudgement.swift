import Links
import Units
import Wire

/// Datagrams, address families and the router.
extension CheckVerdict {
  static func network(_ findings: Findings) -> [CheckVerdict] {
    let network = findings.network
    if case .notFound = network.server {
      return [CheckVerdict(.udp, .unknown, "nobody could be asked without the server's address")]
    }
    let families = [(Item.ipv4, network.v4), (.ipv6, network.v6)]
    let choices = findings.choices
    return [udp(network, choices)] + families.map { family($0.0, $0.1, findings) }
      + families.compactMap { item, family in
        family.mapping.map { nat(family, $0, name: name(item)) }
      }
  }

  private static func name(_ item: Item) -> String { item == .ipv4 ? "IPv4" : "IPv6" }

  private static func udp(_ network: NetworkFindings, _ choices: CallChoices) -> CheckVerdict {
    if choices.transport == .tcp {
      return CheckVerdict(.udp, .unknown, "not tried, as --transport says")
    }
    let roundTrips = [network.v4.roundTrip, network.v6.roundTrip].compactMap { $0 }
    if let best = roundTrips.min() {
      return CheckVerdict(
        .udp, .ok, "the server's answer came back within \(milliseconds(best)) ms",
        details: [.number("rtt_ms", best.milliseconds)])
    }
    let isEntered = if case .entered = network.server { true } else { false }
    let closed =
      isEntered
      ? "whoever runs the server should let its port in over UDP too: without that nobody learns "
        + "his address outside"
      : "see server above"
    switch network.v4.bounce ?? network.v6.bounce {
    case .refused:
      return CheckVerdict(
        .udp, .failed, "the server, or a firewall before it, says that its port is closed for UDP",
        remedy: closed)
    case .unreachable:
      return CheckVerdict(
        .udp, .failed, "a router on the way says that nothing leads to the server over UDP",
        remedy: isEntered ? "let UDP out in the firewall here, or use another network" : closed)
    case .noAnswer, .other, nil: break
    }
    let isRelayHeard = network.relays.contains {
      if case .allocated = $0.outcome { $0.server.carrier == .udp } else { false }
    }
    if isRelayHeard {
      return CheckVerdict(
        .udp, .failed, "a relay answers over UDP and the server does not", remedy: closed)
    }
    guard isEntered else {
      return CheckVerdict(
        .udp, .failed, "nothing comes back from the server over UDP either", remedy: closed)
    }
    return CheckVerdict(
      .udp, .failed, "nothing comes back over UDP: it is blocked here or at the server",
      remedy: "let UDP out in the firewall here, or use another network; if it is the same from "
        + "there, the server's port is closed for UDP")
  }

  private static func family(
    _ item: Item, _ found: FamilyFindings, _ findings: Findings
  ) -> CheckVerdict {
    let choices = findings.choices
    let name = name(item)
    let place = choices.interface ?? "this computer"
    if let roundTrip = found.roundTrip, let seen = found.sightings.first?.seen.ip {
      return CheckVerdict(
        item, .ok, found.isLoopback ? "it works on this computer" : "others see \(seen)",
        details: [.number("rtt_ms", roundTrip.milliseconds), .text("address", seen.description)])
    }
    if found.ownAddresses.isEmpty, !found.isLoopback {
      return CheckVerdict(
        item, item == .ipv4 ? .warning : .unknown, "\(place) has no \(name) address",
        remedy: item == .ipv4 ? withoutIPv4(findings) : "")
    }
    guard found.isServed else {
      return CheckVerdict(
        item, .unknown, "\(place) has it, and the server has no \(name) address to ask")
    }
    if choices.transport == .tcp {
      return CheckVerdict(
        item, .unknown, "\(place) has it; how others see it would be asked over UDP")
    }
    return CheckVerdict(
      item, .warning, "\(place) has it, and no answer came over UDP",
      remedy: "see udp above")
  }

  private static func withoutIPv4(_ findings: Findings) -> String {
    let network = findings.network
    let rest = "those who have only IPv4 are"
    if network.relays.contains(where: network.meetsMost) {
      return "\(rest) reached over a relay"
    }
    return findings.choices.ways == .direct
      ? "\(rest) not reached; without --no-relay a relay may join you to them"
      : "\(rest) not reached: only a relay with an address of IPv4 joins you to them"
  }

  // MARK: The router

  private static func nat(
    _ found: FamilyFindings, _ mapping: FamilyFindings.Mapping, name: String
  ) -> CheckVerdict {
    let isRelayed = "the server's relay, where it has one (--turn), joins you to the others"
    let (grade, sentence, word, remedy): (Grade, String, String, String) =
      switch mapping {
      case .untranslated:
        (
          .ok,
          found.isLoopback
            ? "\(name): the server is on this computer, so this says nothing about a router"
            : "\(name): no router changes addresses between here and the server"
              + inside(found), "none", ""
        )
      case .independent:
        (
          .ok, "\(name): the router shows you the same to everybody, so others find you",
          "endpoint-independent", ""
        )
      case .sameForPorts:
        (
          .ok,
          "\(name): the router shows you the same to whoever was asked, so others find you; only one "
            + "address was there to ask", "port-independent", ""
        )
      case .dependent:
        (
          .warning,
          "\(name): the router shows you differently to everybody (symmetric), so only those find you "
            + "whom everybody reaches", "dependent",
          "\(isRelayed); else use another network, or switch the router to full-cone NAT"
        )
      case .unknown(keepsPorts: true):
        (
          .ok,
          "\(name): the router changes your address and keeps your ports, as most do, so others find "
            + "you, most likely; only a relay at the server can tell", "unknown", ""
        )
      case .unknown(keepsPorts: false):
        (
          .unknown,
          "\(name): the router changes your address and your ports; whether others find you, only a "
            + "relay at the server can tell", "unknown", isRelayed
        )
      }
    return CheckVerdict(
      .nat, grade, sentence + filter(found), remedy: remedy,
      details: [
        .text("family", name == "IPv4" ? "v4" : "v6"), .text("mapping", word),
        .text("filtering", found.filtering.rawValue),
        .text("hairpin", found.hairpins.map { $0 ? "yes" : "no" } ?? "unknown"),
      ])
  }

  /// The server is in the same network, or behind one router with us.
  private static func inside(_ found: FamilyFindings) -> String {
    found.sightings.first?.seen.ip.isInternal == true
      ? ", which is in the same network; of a router beyond it this says nothing" : ""
  }

  /// What is usual needs no word.
  private static func filter(_ found: FamilyFindings) -> String {
    switch found.filtering {
    case .none where !found.isLoopback: "; strangers get in, too"
    case .none, .unknown, .unasked, .notByPort: ""
    }
  }
}
