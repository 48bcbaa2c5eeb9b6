import Links
import Media
package import Rooms
package import Units

/// A whole call made up from its seed: who, over what lines, and what goes wrong meanwhile; and what
/// must be true of it at the end all the same.
package struct RandomCall {
  package let call: SimulatedCall
  /// What happens, for whoever reads a failure.
  package private(set) var story: [String] = []
  private var random: SeededRandom
  private var deserters: [String] = []
  /// Of the two who are farthest apart, without queues.
  private var longestRoundTrip = Interval.zero
  private var usesTCP = false
  private var satellites: [String] = []

  /// All faults are over by then.
  private static let trouble = 4.0...14.0
  package static let duration = Interval.seconds(26)

  package init(seed: UInt64) throws(RoomKeysError) {
    random = SeededRandom(seed: seed ^ 0x5241_4E44)
    call = try SimulatedCall(seed: seed)
    addMembers()
    call.limits = limits
    for _ in 0..<Int(random.next() % 4) { addFault() }
    let call = call
    call.at(.seconds(2)) {
      call.chatter(every: .milliseconds(600), until: .zero + .seconds(18))
    }
  }

  /// A receiver shows no picture that is later than the fastest by 300 ms and two round trips, as it
  /// measures them: with what stands in the lines' queues, and over TCP behind what is repeated.
  private var limits: SimulatedCall.Limits {
    let measured = (longestRoundTrip + .milliseconds(400)) * (usesTCP ? 2 : 1)
    var limits = SimulatedCall.Limits()
    limits.oldest = .milliseconds(500) + measured * 2 + longestRoundTrip
    limits.skew = .milliseconds(200) + measured * 1.5
    return limits
  }

  private mutating func addMembers() {
    let names = ["Anna", "Ben", "Cleo"]
    let count = random.chance(0.3) ? 3 : 2
    var lines: [AccessLine] = []
    for name in names.prefix(count) {
      var line = AccessLine.presets[Int(random.next() % UInt64(AccessLine.presets.count))]
      if line == .satellite { satellites.append(name) }
      if random.chance(0.3) { roughen(&line) }
      var options = SimulatedMember.Options()
      options.transport = random.chance(0.25) ? .tcp : .auto
      options.size = PictureSize(width: 640, height: 360)
      options.framesPerSecond = random.chance(0.5) ? 15 : 30
      options.bitrateLimit = .kilobits(100 + Int64(random.next() % 500))
      options.layers = random.chance(0.3) ? 2 : 1
      if options.transport == .tcp { usesTCP = true }
      for other in lines {
        let ways = [line.up, line.down, other.up, other.down]
        let roundTrip = ways.reduce(Interval.zero) { $0 + $1.delay + $1.jitter }
        longestRoundTrip = max(longestRoundTrip, roundTrip)
      }
      lines.append(line)
      options.clockError = 200 * random.unit() - 100
      let after = Interval.seconds(2 * random.unit())
      call.add(name, line: line, options: options, after: name == "Anna" ? .zero : after)
      story.append("\(name) over \(line.name), \(options.transport), at \(after.milliseconds) ms")
    }
  }

  private mutating func roughen(_ line: inout AccessLine) {
    line.name += ", rough"
    let loss = 0.05 * random.unit()
    let jitter = Interval.milliseconds(Int64(40 * random.unit()))
    let reordering = random.chance(0.5) ? 0.1 * random.unit() : 0
    let duplication = random.chance(0.5) ? 0.05 * random.unit() : 0
    let corruption = random.chance(0.5) ? 0.005 : 0
    for path in [\AccessLine.up, \AccessLine.down] {
      line[keyPath: path].loss = loss
      line[keyPath: path].jitter = jitter
      line[keyPath: path].reordering = reordering
      line[keyPath: path].duplication = duplication
      line[keyPath: path].corruption = corruption
    }
  }

  private mutating func addFault() {
    let call = call
    let begin = Self.trouble.lowerBound + 5 * random.unit()
    let end = min(Self.trouble.upperBound, begin + 5 * random.unit())
    let member = call.members[Int(random.next() % UInt64(call.members.count))]
    let from = Interval.seconds(begin)
    let to = Interval.seconds(end)
    let what: String
    switch random.next() % 6 {
    case 0:
      what = "\(member.name) hears nothing"
      call.at(from) { member.host.change { $0.isDown = true } }
      call.at(to) { member.host.change { $0.isDown = false } }
    case 1:
      what = "\(member.name)'s line stalls"
      call.at(from) { member.host.change { $0.isStalled = true } }
      call.at(to) { member.host.change { $0.isStalled = false } }
    case 2:
      what = "\(member.name) gets other addresses"
      call.at(from) { member.move(to: call.network.nextAddresses()) }
    case 3:
      what = "the server is killed"
      call.at(from) { call.server.kill() }
      call.at(to) { call.server.start() }
    case 4:
      what = "\(member.name) is stopped"
      call.at(from) { member.suspend(for: to - from) }
    default:
      guard call.members.count > 2, deserters.isEmpty else { return }
      deserters.append(member.name)
      let isKilled = random.chance(0.5)
      what = "\(member.name) \(isKilled ? "is killed" : "leaves")"
      call.at(from) { isKilled ? member.kill() : member.leave() }
    }
    story.append("\(what), \(from.milliseconds) to \(to.milliseconds) ms")
  }

  /// Where TCP meets a satellite's losses, 1.22 segments a round trip over the root of the loss are
  /// not much more than the sound (Mathis).
  private func isPoor(_ one: SimulatedMember, _ other: SimulatedMember) -> Bool {
    usesTCP && (satellites.contains(one.name) || satellites.contains(other.name))
  }

  /// Runs it and returns what was wrong, with its seed and story; `nil` if nothing.
  package func verdict() -> String? {
    call.run(for: Self.duration)
    var faults = sightAndSoundFaults()
    awaitChat()
    // Faults may cost a link, and with it the lines on their way.
    let isWhole = deserters.isEmpty && call.members.allSatisfy { $0.departures.isEmpty }
    call.finish(chatIsComplete: isWhole)
    if !call.findings.isEmpty { faults.append(call.findings.summary) }
    for member in call.members where !deserters.contains(member.name) {
      if let code = member.exitCode { faults.append("\(member.name) ended with \(code)") }
    }
    guard !faults.isEmpty else { return nil }
    return (["seed \(call.world.seed)"] + story + faults).joined(separator: "\n")
  }

  /// Who does not see or hear whom now, when all faults have been over for long enough.
  private func sightAndSoundFaults() -> [String] {
    var faults: [String] = []
    let company = call.members.filter { !deserters.contains($0.name) }
    for viewer in company {
      for seen in company where seen !== viewer {
        let figures = call.figures(of: seen, at: viewer)
        // A satellite takes longer to recover from what went wrong.
        let recently = call.world.now - .seconds(4) - longestRoundTrip * 5
        if !isPoor(viewer, seen), figures.lastShownAt.map({ $0 < recently }) ?? true {
          faults.append("\(viewer.name) sees nothing of \(seen.name) at the end")
        }
        if figures.lastHeardAt.map({ $0 < recently }) ?? true {
          faults.append("\(viewer.name) hears nothing of \(seen.name) at the end")
        }
      }
    }
    return faults
  }

  /// Eight seconds after the last line all must be there. Only TCP over a satellite repeats a loss
  /// after 4 s, and its repetition after 8 s more: there a line is waited for as long as a silent
  /// peer is.
  private func awaitChat() {
    guard usesTCP, !satellites.isEmpty, deserters.isEmpty else { return }
    let end = call.world.now + Liveness.loss
    while !call.isChatComplete, call.world.now < end { call.run(for: .seconds(1)) }
  }
}
