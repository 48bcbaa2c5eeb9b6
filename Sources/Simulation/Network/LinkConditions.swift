package import Units

/// What one direction of one access line does to packets.
package struct LinkConditions: Hashable, Sendable {
  /// Bits a second, counted with IP and UDP or TCP headers; `nil` is without limit.
  package var rate: Bitrate?
  /// Instead of a rate: when packets may pass. The queue is then time at its average rate.
  package var trace: DeliveryTrace?
  /// What may wait for the rate, in time at that rate; more is dropped at the tail.
  package var queue = Interval.milliseconds(200)
  package var delay = Interval.zero
  /// The most that is added to the delay.
  package var jitter = Interval.zero
  package var jitterShape = JitterShape.uniform
  /// Whether jitter may let a packet overtake another.
  package var jitterReorders = false
  /// Probabilities of 0…1 for each packet.
  package var loss = 0.0
  /// Loss in bursts, beside `loss`.
  package var burst: BurstLoss?
  package var duplication = 0.0
  package var corruption = 0.0
  /// A reordered packet comes `reorderDelay` late, and others pass it.
  package var reordering = 0.0
  package var reorderDelay = Interval.milliseconds(20)
  /// Everything is lost.
  package var isDown = false
  /// Everything waits, and comes when the stall ends.
  package var isStalled = false

  package init() {}

  package init(
    rate: Bitrate? = nil, queue: Interval = .milliseconds(200), delay: Interval = .zero,
    jitter: Interval = .zero, loss: Double = 0
  ) {
    self.rate = rate
    self.queue = queue
    self.delay = delay
    self.jitter = jitter
    self.loss = loss
  }

  package var averageRate: Bitrate? { trace?.averageRate ?? rate }

  /// The same line, but nothing passes.
  package var down: LinkConditions {
    var conditions = self
    conditions.isDown = true
    return conditions
  }
}

/// How what jitter adds to the delay of a packet is distributed in 0…`jitter`.
package enum JitterShape: String, Hashable, Sendable, CaseIterable {
  case uniform
  /// As RFC 8868 recommends ("Recommended Distribution" of its jitter models): the absolute value
  /// of a Gaussian of mean zero, cut off at three standard deviations, which are the most that
  /// there may be.
  case gaussian

  /// A share of the most that there may be, in 0…1; `uniform` is so already.
  func share(_ uniform: Double, _ random: inout SeededRandom) -> Double {
    switch self {
    case .uniform: uniform
    case .gaussian: min(abs(random.gaussian()) / 3, 1)
    }
  }
}

/// One computer's line to the rest of the network, both ways.
package struct AccessLine: Hashable, Sendable {
  package var name: String
  package var up: LinkConditions
  package var down: LinkConditions

  package init(name: String, up: LinkConditions, down: LinkConditions) {
    self.name = name
    self.up = up
    self.down = down
  }

  package init(name: String, both: LinkConditions) {
    self.init(name: name, up: both, down: both)
  }
}

extension AccessLine {
  /// Two computers on a switch.
  package static let local = AccessLine(
    name: "local", both: LinkConditions(delay: .microseconds(200)))
  package static let cable = AccessLine(
    name: "cable",
    up: LinkConditions(
      rate: .kilobits(10_000), queue: .milliseconds(150), delay: .milliseconds(8),
      jitter: .milliseconds(1)),
    down: LinkConditions(
      rate: .kilobits(50_000), queue: .milliseconds(100), delay: .milliseconds(8),
      jitter: .milliseconds(1)))
  package static let wifi = AccessLine(
    name: "wifi",
    both: LinkConditions(
      rate: .kilobits(20_000), queue: .milliseconds(150), delay: .milliseconds(5),
      jitter: .milliseconds(12), loss: 0.005))
  package static let mobile = AccessLine(
    name: "mobile",
    up: LinkConditions(
      rate: .kilobits(2_000), queue: .milliseconds(400), delay: .milliseconds(30),
      jitter: .milliseconds(15), loss: 0.005),
    down: LinkConditions(
      rate: .kilobits(6_000), queue: .milliseconds(400), delay: .milliseconds(25),
      jitter: .milliseconds(15), loss: 0.005))
  package static let satellite = AccessLine(
    name: "satellite",
    up: LinkConditions(
      rate: .kilobits(3_000), queue: .milliseconds(300), delay: .milliseconds(280),
      jitter: .milliseconds(5), loss: 0.005),
    down: LinkConditions(
      rate: .kilobits(20_000), queue: .milliseconds(300), delay: .milliseconds(280),
      jitter: .milliseconds(5), loss: 0.005))

  /// 1 % corruption, 20 % loss, 25 % reordering, 10 % duplicates and 100 ms of jitter, each way.
  package static let worst: AccessLine = {
    var conditions = LinkConditions(
      delay: .milliseconds(20), jitter: .milliseconds(100), loss: 0.2)
    conditions.corruption = 0.01
    conditions.reordering = 0.25
    conditions.duplication = 0.1
    return AccessLine(name: "worst", both: conditions)
  }()

  package static let presets = [local, cable, wifi, mobile, satellite]
}

extension AccessLine: CustomStringConvertible {
  package var description: String { name }
}
