import Links
import Units
import Wire

/// Relays, and what all of it comes to.
extension CheckVerdict {
  static func relays(_ findings: Findings) -> [CheckVerdict] {
    let network = findings.network
    guard case .entered = network.server else {
      return [CheckVerdict(.relay, .unknown, "only the server tells which relays there are")]
    }
    guard !network.relays.isEmpty else {
      return [
        CheckVerdict(
          .relay, .unknown, "the server offers none: who is not reached directly is not reached",
          remedy: "whoever runs the server can add one: p2pcall-rendezvous --turn, "
            + "--turn-secret-file")
      ]
    }
    return network.relays.map { relay($0, network) }
  }

  private static func relay(_ finding: RelayFinding, _ network: NetworkFindings) -> CheckVerdict {
    let carrier =
      switch finding.server.carrier {
      case .udp: "udp"
      case .tcp: "tcp"
      case .tls: "tls"
      }
    let name = "\(finding.server.address) over \(carrier.uppercased())"
    let details: [Detail] = [
      .text("carrier", carrier), .text("address", finding.server.address.description),
    ]
    func verdict(_ grade: Grade, _ sentence: String, _ remedy: String = "") -> CheckVerdict {
      CheckVerdict(.relay, grade, "\(name): \(sentence)", remedy: remedy, details: details)
    }
    switch finding.outcome {
    case .allocated(let after):
      let time = "it gave us an address within \(milliseconds(after)) ms"
      guard finding.carries == false else {
        return verdict(.ok, finding.carries == true ? "\(time) and carries" : time)
      }
      return verdict(
        .failed, "\(time), and nothing gets through it",
        "whoever runs the relay should let its relay ports in (coturn: min-port to max-port, "
          + "49152 to 65535 over UDP)")
    case .failed(let failure): return verdict(.failed, failure.description, remedy(for: failure))
    case .unconnected(let reason):
      return verdict(
        .failed, "there is no connection (\(reason))",
        "whoever runs the relay should see that it runs and that its port is open over TCP; "
          + "or the firewall here does not let it out")
    case .silent:
      let isHeard = network.main.roundTrip != nil || finding.server.carrier != .udp
      return verdict(
        .failed, "no answer in time",
        isHeard
          ? "whoever runs the relay should see that it runs and that its port is open"
          : "UDP seems to be blocked; see udp above")
    case .untried(.overTLS):
      return verdict(.unknown, "not tried here; a call tries it where nothing else gets through")
    case .untried(.address):
      return verdict(
        .warning, "this computer cannot use that address",
        "whoever runs the server should name one in --turn that everybody reaches")
    }
  }

  private static func remedy(for failure: TurnFailure) -> String {
    switch failure {
    case .credentialRefused, .unauthenticAnswers:
      "whoever runs the server should see that the first line of --turn-secret-file is the relay's "
        + "static-auth-secret, and that both have the right time"
    case .quotaReached: "whoever runs the relay should raise user-quota or total-quota"
    case .refused(_, code: 508): "whoever runs the relay should widen min-port to max-port"
    case .noAnswer: "whoever runs the relay should see that it runs and that its port is open"
    default: "whoever runs the relay should look into its log"
    }
  }

  static func path(_ path: ExpectedPath, _ findings: Findings) -> CheckVerdict {
    let hasRelay = findings.network.relays.contains(where: \.works)
    let rest = hasRelay ? "; the others over a relay" : ""
    let (grade, message, remedy): (Grade, String, String) =
      switch path {
      case .direct: (.ok, "calls go directly to everybody", "")
      case .directToMost: (.ok, "calls go directly to most\(rest)", "")
      case .relay: (.ok, "calls go over a relay, and directly where the other side lets all in", "")
      case .thisComputer:
        (
          .ok, "calls on this computer work; nothing beyond it was tried",
          "to learn about the network give --server the address that the others use"
        )
      case .directToSome:
        (
          .failed, "calls are sure only with those whom everybody reaches, over UDP or TCP",
          "ask whoever runs the server for a relay (--turn), or use another network"
        )
      case .none:
        (.failed, "no call comes about without the server", "see the lines marked failed above")
      }
    let watching =
      hasNoSource(findings) ? "; without camera and microphone you watch and listen" : ""
    return CheckVerdict(
      .path, grade, message + watching, remedy: remedy,
      details: [.text("path", path.rawValue), .text("relayed", hasRelay ? "yes" : "no")])
  }

  /// Neither a camera nor a microphone works.
  private static func hasNoSource(_ findings: Findings) -> Bool {
    let sources = findings.devices.filter { $0.kind != .speaker }
    return !sources.isEmpty
      && sources.allSatisfy {
        switch $0.outcome {
        case .failed, .silent: true
        case .picture, .heard, .played: false
        }
      }
  }
}
