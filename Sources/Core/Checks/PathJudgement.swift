import Links
import Units

/// What all of it comes to.
extension CheckVerdict {
  static func path(_ path: ExpectedPath, _ findings: Findings) -> CheckVerdict {
    let (choices, network) = (findings.choices, findings.network)
    let rest =
      network.relays.contains(where: network.meetsMost)
      ? "; the others over a relay"
      : choices.ways == .direct ? "; the others not at all, as --no-relay says" : ""
    let (grade, message, remedy): (Grade, String, String) =
      switch path {
      case .direct: (.ok, "calls go directly to everybody", "")
      case .directToMost: (.ok, "calls go directly to most\(rest)", "")
      case .relay where choices.ways == .relayed:
        (.ok, "calls go over a relay alone, as --relay-only says", "")
      case .relay where network.lacksV4:
        (.ok, "calls go over a relay, or directly to those who have IPv6", "")
      case .relay: (.ok, "calls go over a relay, or directly to those whom everybody reaches", "")
      case .thisComputer:
        (
          .ok, "calls on this computer work; nothing beyond it was tried",
          "to learn about the network give --server the address that the others use"
        )
      case .directToSome: directToSome(findings)
      case .none: none(findings)
      }
    let watching =
      hasNone(of: [.camera, .microphone], findings)
      ? "; without camera and microphone you only watch"
        + (hasNone(of: [.speaker], findings) ? "" : " and listen") : ""
    return CheckVerdict(
      .path, grade, message + watching, remedy: remedy,
      details: [
        .text("path", path.rawValue),
        .text("relayed", network.relays.contains(where: \.works) ? "yes" : "no"),
        .text("transport", choices.transport.rawValue), .text("ways", choices.ways.rawValue),
      ])
  }

  private static func directToSome(_ findings: Findings) -> (Grade, String, String) {
    let choices = findings.choices
    if findings.network.lacksV4 || choices.ways == .relayed { return toIPv6(findings) }
    if findings.mayBeOpenToTCP { return perhapsToAll(choices) }
    let carriers =
      switch choices.transport {
      case .auto: "over UDP or TCP"
      case .udp: "over UDP"
      case .tcp: "over TCP"
      }
    let remedy =
      if choices.ways == .direct {
        "leave out --no-relay, or use another network"
      } else if choices.transport != .auto {
        "leave out --transport, or ask whoever runs the server for a relay (--turn)"
      } else {
        "ask whoever runs the server for a relay (--turn), or use another network"
      }
    return (
      .failed, "calls come about only with those whom everybody reaches, \(carriers)", remedy
    )
  }

  private static func toIPv6(_ findings: Findings) -> (Grade, String, String) {
    let remedy =
      if findings.choices.ways == .direct {
        "leave out --no-relay: a relay may join you to the others; or use a network that has IPv4"
      } else if findings.network.relays.contains(where: { $0.outcome == .untried(.transport) }) {
        "leave out --transport: a relay may join you to the others; or use a network that has IPv4"
      } else if findings.network.relays.contains(where: \.works) {
        "whoever runs the relay should give it an address of IPv4; or use a network that has IPv4"
      } else {
        "ask whoever runs the server for a relay (--turn) that is reached over IPv6 and has an "
          + "address of IPv4, or use a network that has IPv4"
      }
    return (.failed, "calls come about only with those who have IPv6", remedy)
  }

  /// Nobody was there to try whether connections come in.
  private static func perhapsToAll(_ choices: CallChoices) -> (Grade, String, String) {
    (
      .unknown,
      "calls go directly to everybody if no firewall keeps connections from this computer, which "
        + "nobody could try, else only to those whom everybody reaches, over TCP",
      "let connections in in the firewall here"
        + (choices.transport == .tcp ? ", or leave out --transport" : "")
        + (choices.ways == .direct
          ? ", or leave out --no-relay" : ", or ask whoever runs the server for a relay (--turn)")
    )
  }

  private static func none(_ findings: Findings) -> (Grade, String, String) {
    let choices = findings.choices
    guard case .entered = findings.network.server else {
      return (
        .failed, "no call comes about without the server", "see the lines marked failed above"
      )
    }
    if choices.ways == .relayed {
      return (
        .failed, "no call comes about: --relay-only allows nothing but relays, and none works",
        "see relay above; without --relay-only the others learn your address"
      )
    }
    if choices.transport == .udp {
      return (
        .failed, "no call comes about: --transport allows nothing but UDP, which does not pass",
        "see udp above, or leave out --transport"
      )
    }
    return (
      .failed,
      "no call comes about: the server is on this computer, where --interface does not lead",
      "leave out --interface, or give --server the address that the others use"
    )
  }

  /// None of these works.
  private static func hasNone(of kinds: [DeviceFinding.Kind], _ findings: Findings) -> Bool {
    let devices = findings.devices.filter { kinds.contains($0.kind) }
    return !devices.isEmpty
      && devices.allSatisfy {
        switch $0.outcome {
        case .failed, .silent: true
        case .picture, .heard, .played: false
        }
      }
  }
}

extension Findings {
  /// No datagram passes, or may, and no router need be between this computer and the others: its
  /// address is one that everybody can dial.
  fileprivate var mayBeOpenToTCP: Bool {
    (choices.transport == .tcp || network.main.reach == .nobody)
      && network.main.ownAddresses.contains { !$0.isInternal }
  }
}
