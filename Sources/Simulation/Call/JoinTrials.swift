import Links
package import Units

/// Many joins over one kind of line, each with a seed of its own: how long it takes from joining
/// until the first picture is shown, in both directions.
package struct JoinTrials {
  /// What the two have between them.
  package struct Setting: Sendable, CustomStringConvertible {
    package fileprivate(set) var name: String
    /// Of each of the two.
    var line = AccessLine.local
    /// Between them, both ways, beside their lines; the server is not behind it.
    var between: LinkConditions?
    /// Of the server.
    var serverLine = AccessLine.local
    var transport = Transport.auto

    package var description: String { name }
  }

  /// Who joined saw nothing in the time that there was.
  package private(set) var failures: [UInt64] = []
  /// From the second's joining to her first picture of the first, with the seed, the fastest first.
  private var joiner: [JoinTime] = []
  /// To the first's first picture of the second.
  private var waiting: [JoinTime] = []
  package let setting: Setting

  private static let patience = Interval.seconds(20)

  package init(_ setting: Setting, first: UInt64, count: UInt64) throws {
    self.setting = setting
    for seed in first..<first + count { try add(seed) }
    joiner.sort { $0.took < $1.took }
    waiting.sort { $0.took < $1.took }
  }

  private mutating func add(_ seed: UInt64) throws {
    let call = try SimulatedCall(seed: seed, serverLine: setting.serverLine)
    var options = SimulatedMember.Options()
    options.transport = setting.transport
    let anna = call.add("Anna", line: setting.line, options: options)
    let ben = call.add("Ben", line: setting.line, options: options, after: .seconds(1))
    if let between = setting.between {
      _ = call.network.addBottleneck(forward: between, backward: between)
      call.network.place(anna.host, on: .left)
      call.network.place(ben.host, on: .right)
    }
    let joinedAt = Instant.zero + .seconds(1)
    var seen: Instant?
    var shown: Instant?
    while seen == nil || shown == nil, call.world.now - joinedAt < Self.patience {
      call.run(for: .milliseconds(100))
      seen = call.figures(of: anna, at: ben).firstShownAt
      shown = call.figures(of: ben, at: anna).firstShownAt
    }
    guard let seen, let shown else {
      failures.append(seed)
      return
    }
    joiner.append(JoinTime(took: seen - joinedAt, seed: seed))
    waiting.append(JoinTime(took: shown - joinedAt, seed: seed))
  }

  /// The wait that the given part of all joins (0…1) stayed within, of both directions the longer.
  package func percentile(_ part: Double) -> Interval {
    max(joiner.percentile(part), waiting.percentile(part))
  }

  /// One line of a table.
  package var row: String {
    let failed =
      failures.isEmpty ? "" : "; failed: \(failures.map(String.init).joined(separator: " "))"
    return "\(setting.name): who joins \(joiner.figures([50, 95])); "
      + "who waited \(waiting.figures([50, 95]))\(failed)"
  }
}

extension JoinTrials.Setting {
  private static func lossy(_ loss: Double) -> JoinTrials.Setting {
    JoinTrials.Setting(
      name: "RTT 50 ms, \(Int(loss * 100)) % loss",
      between: LinkConditions(delay: .milliseconds(25), loss: loss))
  }

  /// BENCHMARKS B3: the server is near, delay and loss are between the two.
  package static let near = JoinTrials.Setting(name: "RTT 0")
  package static let far = lossy(0)
  package static let lossy = lossy(0.2)
  package static let wifi = JoinTrials.Setting(name: "wifi", line: .wifi)
  package static let mobile = JoinTrials.Setting(name: "mobile", line: .mobile)

  package static let satellite = JoinTrials.Setting(name: "satellite", line: .satellite)

  package static let all: [JoinTrials.Setting] = {
    var settings = [near, far, lossy, wifi, mobile, satellite]
    for base in [far, lossy] {
      var udp = base
      udp.transport = .udp
      udp.name += ", UDP"
      settings.append(udp)
    }
    return settings
  }()
}
