import Links
import Testing
import Units
import Wire

@testable import Checks

@Suite struct RelayJudgementTests {
  @Test(
    arguments: [
      (.failed(.credentialRefused), nil, .failed, "static-auth-secret"),
      (.failed(.quotaReached), nil, .failed, "quota"), (.silent, nil, .failed, "port is open"),
      (.unconnected("refused"), nil, .failed, "TCP"),
      (.unsecured(.untrusted(fault(.outdated))), nil, .failed, "renew"),
      (.unsecured(.untrusted(fault(.misnamed))), nil, .failed, "must agree"),
      (.unsecured(.untrusted(fault(.unvouched))), nil, .failed, "--ca"),
      (.unsecured(.untrusted(fault(.other))), nil, .failed, "good for a server"),
      (.unsecured(.handshake("no shared cipher")), nil, .failed, "TLS 1.2"),
      (.bounced(.refused), nil, .failed, "over UDP"),
      (.bounced(.unreachable), nil, .failed, "firewall here"),
      (.bounced(.other), nil, .failed, "port is open"),
      (.untried(.transport), nil, .unknown, ""),
      (.untried(.address), nil, .warning, "--turn"),
      (.allocated(after: .zero), false, .failed, "min-port"),
      (.allocated(after: .zero), nil, .ok, ""),
    ] as [(RelayFinding.Outcome, Bool?, CheckVerdict.Grade, String)])
  func `each end of a relay's trial has its verdict and remedy`(
    outcome: RelayFinding.Outcome, carries: Bool?, grade: CheckVerdict.Grade, remedy: String
  ) {
    let found = JudgedHome.verdicts(of: .relay) {
      $0.network.relays = [
        RelayFinding(RelayServer(.udp, JudgedHome.relay), outcome, carries: carries)
      ]
    }
    #expect(found.map(\.grade) == [grade])
    #expect(found.first?.remedy.contains(remedy) == true || remedy.isEmpty)
  }

  @Test func `a relay over TLS is called by the name that its certificate must have`() {
    let found = JudgedHome.verdicts(of: .relay) {
      $0.network.relays = [
        RelayFinding(
          RelayServer(.tls, JudgedHome.relay, host: Array("relay.example.org".utf8)),
          .unsecured(.untrusted(Self.fault(.misnamed))))
      ]
    }
    let message = found.first?.message ?? ""
    #expect(message.hasPrefix("relay.example.org (192.0.2.9:3478) over TLS: "))
    #expect(message.hasSuffix("it is for another name (the library's words)"))
    let nameless = JudgedHome.verdicts(of: .relay) {
      $0.network.relays = [
        RelayFinding(RelayServer(.tls, JudgedHome.relay, host: Array("192.0.2.9".utf8)), .silent)
      ]
    }
    #expect(nameless.first?.message.hasPrefix("192.0.2.9:3478 over TLS: ") == true)
  }

  private static func fault(_ kind: CertificateFault.Kind) -> CertificateFault {
    CertificateFault(kind, "the library's words")
  }
}
