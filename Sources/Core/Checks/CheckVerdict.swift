/// One line of what `p2pcall check` tells.
package struct CheckVerdict: Hashable, Sendable {
  package enum Item: String, Hashable, Sendable, CaseIterable {
    case camera
    case microphone
    case speaker
    case clock
    case server
    case certificate
    case udp
    case ipv4
    case ipv6
    case nat
    case relay
    case path
  }
  package enum Grade: String, Hashable, Sendable {
    case ok
    /// A call goes on without.
    case warning
    case failed
    /// Nothing was there to tell.
    case unknown
  }
  /// A member of the event that scripts may want, beside the sentence.
  package struct Detail: Hashable, Sendable {
    package enum Value: Hashable, Sendable {
      case text(String)
      case number(Double)
    }
    package var name: String
    package var value: Value
  }
  package var item: Item
  package var grade: Grade
  package var message: String
  /// Empty where there is nothing to do.
  package var remedy: String
  package var details: [Detail]

  init(
    _ item: Item, _ grade: Grade, _ message: String, remedy: String = "", details: [Detail] = []
  ) {
    self.item = item
    self.grade = grade
    self.message = message
    self.remedy = remedy
    self.details = details
  }
}

extension CheckVerdict.Detail {
  static func text(_ name: String, _ value: String) -> Self {
    Self(name: name, value: .text(value))
  }
  static func number(_ name: String, _ value: Double) -> Self {
    Self(name: name, value: .number(value))
  }
}

/// How calls of this computer are likely to go.
package enum ExpectedPath: String, Hashable, Sendable {
  /// To whoever lets datagrams out.
  case direct
  /// To all but those whose router gives every destination another port.
  case directToMost = "direct-to-most"
  /// To those who are reached by anybody; to others nothing is known to lead.
  case directToSome = "direct-to-some"
  case relay
  /// The server is on this computer: nothing beyond it was asked.
  case thisComputer = "this-computer"
  case none

  /// Whether most calls come about.
  package var isGood: Bool {
    switch self {
    case .direct, .directToMost, .relay, .thisComputer: true
    case .directToSome, .none: false
    }
  }
}

/// All verdicts, in the order in which they are told, the expected path last.
package struct Judgement: Hashable, Sendable {
  package var verdicts: [CheckVerdict]
  package var path: ExpectedPath

  package init(_ findings: Findings) {
    path = ExpectedPath(findings)
    verdicts =
      findings.devices.map(CheckVerdict.init)
      + [CheckVerdict(findings.clock, findings.identity), .server(findings)]
      + (findings.identity.map { [.certificate($0, now: findings.clock.own)] } ?? [])
      + CheckVerdict.network(findings) + CheckVerdict.relays(findings) + [.path(path, findings)]
  }
}
