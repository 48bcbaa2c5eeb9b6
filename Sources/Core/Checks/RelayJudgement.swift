import Links
import Units
import Wire

/// Each relay, over each way to it.
extension CheckVerdict {
  static func relays(_ findings: Findings) -> [CheckVerdict] {
    let network = findings.network
    guard case .entered = network.server else {
      return [CheckVerdict(.relay, .unknown, "only the server tells which relays there are")]
    }
    let ways = findings.choices.ways
    guard ways != .direct else {
      return [CheckVerdict(.relay, .unknown, "none was tried, as --no-relay says")]
    }
    guard !network.relays.isEmpty else {
      return [
        CheckVerdict(
          .relay, ways == .relayed ? .failed : .unknown,
          ways == .relayed
            ? "the server offers none"
            : "the server offers none: who is not reached directly is not reached",
          remedy: "whoever runs the server can add one: p2pcall-rendezvous --turn, "
            + "--turn-secret-file")
      ]
    }
    return network.relays.map { relay($0, findings) }
  }

  private static func relay(_ finding: RelayFinding, _ findings: Findings) -> CheckVerdict {
    let network = findings.network
    let carrier =
      switch finding.server.carrier {
      case .udp: "udp"
      case .tcp: "tcp"
      case .tls: "tls"
      }
    let address = "\(finding.server.address)"
    // TLS is about the name: it is what the certificate must be for.
    let host = finding.server.carrier == .tls ? finding.server.hostName : nil
    let isNamed = host != finding.server.address.ip.description
    let place = isNamed ? host.map { "\($0) (\(address))" } ?? address : address
    let name = "\(place) over \(carrier.uppercased())"
    let details: [Detail] = [
      .text("carrier", carrier), .text("address", address),
    ]
    func verdict(_ grade: Grade, _ sentence: String, _ remedy: String = "") -> CheckVerdict {
      CheckVerdict(.relay, grade, "\(name): \(sentence)", remedy: remedy, details: details)
    }
    switch finding.outcome {
    case .allocated(let after):
      let time = "it gave us an address within \(milliseconds(after)) ms"
      if finding.carries == false {
        return verdict(
          .failed, "\(time), and nothing gets through it",
          "whoever runs the relay should let its relay ports in (coturn: min-port to max-port, "
            + "49152 to 65535 over UDP)")
      }
      let carried = finding.carries == true ? "\(time) and carries what it is given" : time
      // Who has IPv4 himself wasn't after one here.
      guard network.lacksV4 else { return verdict(.ok, carried) }
      return finding.given == .v4
        ? verdict(.ok, "\(carried), of IPv4, under which everybody reaches you")
        : verdict(
          .warning, "\(carried), and has none of IPv4: it joins you only to those who have IPv6",
          "whoever runs the relay should give it an address of IPv4 too (coturn: relay-ip)")
    case .failed(let failure): return verdict(.failed, failure.description, remedy(for: failure))
    case .unconnected(let reason):
      return verdict(
        .failed, "there is no connection (\(reason))",
        "whoever runs the relay should see that it runs and that its port is open over TCP; "
          + "or the firewall here does not let it out")
    case .unsecured(let failure):
      let (sentence, remedy) = judge(failure)
      return verdict(.failed, sentence, remedy)
    case .bounced(.unreachable):
      return verdict(
        .failed, "a router on the way says that nothing leads there",
        "let UDP out in the firewall here, or use another network")
    case .bounced(.refused):
      return verdict(
        .failed, "it, or a firewall before it, says that the port is closed",
        "whoever runs the relay should see that it runs and that its port is open over UDP")
    case .silent, .bounced:
      let owner = "whoever runs the relay should see that it runs and that its port is open"
      let remedy =
        if finding.server.carrier != .udp {
          "let that port out in the firewall here; if it is, \(owner)"
        } else if network.main.roundTrip != nil {
          owner
        } else {
          "UDP seems to be blocked; see udp above"
        }
      return verdict(.failed, "no answer in time", remedy)
    case .untried(.transport): return verdict(.unknown, "not tried, as --transport says")
    case .untried(.ways): return verdict(.unknown, "not tried, as --no-relay says")
    case .untried(.address):
      return verdict(
        .warning, "this computer cannot use that address",
        "whoever runs the server should name one in --turn that everybody reaches")
    case .untried(.family):
      let family = finding.server.family == .v4 ? "IPv4" : "IPv6"
      let sentence =
        "not tried, as \(findings.choices.interface ?? "this computer") has no \(family) address"
      // Usually a relay has an address of the other family too.
      let hasOther = network.relays.contains { $0.outcome != .untried(.family) }
      return hasOther
        ? verdict(.unknown, sentence)
        : verdict(
          .warning, sentence,
          "whoever runs the server should name one in --turn that is reached over "
            + (family == "IPv4" ? "IPv6" : "IPv4"))
    }
  }

  /// Why nothing was said to a relay over TLS, and what to do about it.
  private static func judge(
    _ failure: SecureSessionFailure
  ) -> (sentence: String, remedy: String) {
    let owner = "whoever runs the relay should"
    guard case .untrusted(let fault) = failure else {
      return (
        "TLS does not come about (\(failure))",
        "\(owner) see that TLS 1.2 or later is spoken on that port"
      )
    }
    let (sentence, remedy) =
      switch fault.kind {
      case .outdated:
        (
          "today is not within its dates",
          "\(owner) renew it; or set the clock here, if it is wrong"
        )
      case .misnamed:
        (
          "it is for another name",
          "the name in the server's --turn and the one in the certificate must agree"
        )
      case .unvouched:
        (
          "nobody whom this system trusts has signed it",
          "\(owner) get one that every system trusts; or pass their own CA's with --ca FILE "
            + "(beside --server-pin: name that file in SSL_CERT_FILE)"
        )
      case .other: ("it is not fit for a relay", "\(owner) get one that is good for a server")
      }
    return ("its certificate is refused: \(sentence) (\(fault.reason))", remedy)
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
}
