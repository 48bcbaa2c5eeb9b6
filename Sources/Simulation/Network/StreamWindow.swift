import Units

/// How a simulated TCP connection sets its window.
package enum StreamAlgorithm: String, Hashable, Sendable, CaseIterable {
  /// Reno's growth and Cubic's reduction: what a call's own connections use.
  case mixed
  /// RFC 5681.
  case reno
  /// RFC 9438, with fast convergence and without HyStart.
  case cubic
}

/// The congestion window of one simulated TCP connection.
struct StreamWindow {
  let algorithm: StreamAlgorithm
  private(set) var bytes = 10 * StreamSender.segmentBytes
  private var threshold = Int.max
  private var curve = CubicCurve()

  private static let least = 2 * StreamSender.segmentBytes

  init(_ algorithm: StreamAlgorithm) { self.algorithm = algorithm }

  var isInSlowStart: Bool { bytes < threshold }

  /// `delivered` bytes are newly acknowledged, and the window was what held the sender back.
  mutating func grow(by delivered: Int, roundTrip: Interval, at now: Instant) {
    if isInSlowStart {
      bytes += delivered
    } else if algorithm == .cubic {
      let segment = Double(StreamSender.segmentBytes)
      bytes = Int(
        segment
          * curve.grow(
            Double(bytes) / segment, by: Double(delivered) / segment, roundTrip: roundTrip,
            at: now))
    } else {
      bytes += max(1, StreamSender.segmentBytes * delivered / bytes)
    }
  }

  /// Segments were lost, for the first time in this window.
  mutating func reduce() {
    switch algorithm {
    case .mixed: threshold = max(Self.least, bytes * 7 / 10)
    case .reno: threshold = max(Self.least, bytes / 2)
    case .cubic: threshold = reduceCurve()
    }
    bytes = threshold
  }

  /// The retransmission timer ran out. Where it did so `again` for the same segment, the window from
  /// before the first time still tells how far slow start may go (RFC 5681 §3.1).
  mutating func collapse(again: Bool) {
    if !again { threshold = algorithm == .cubic ? reduceCurve() : max(Self.least, bytes / 2) }
    bytes = StreamSender.segmentBytes
  }

  private mutating func reduceCurve() -> Int {
    curve.reduce(Double(bytes) / Double(StreamSender.segmentBytes))
    return max(Self.least, Int(Double(bytes) * CubicCurve.beta))
  }
}

/// RFC 9438 §4, in segments and seconds.
private struct CubicCurve {
  static let beta = 0.7
  private static let c = 0.4
  /// §4.3: what makes its average rate that of Reno.
  private static let renoGrowth = 3 * (1 - beta) / (1 + beta)

  private var plateau = 0.0
  /// The window before the last reduction.
  private var prior = 0.0
  /// When growth began after it, and how long it takes to the plateau from there.
  private var epoch: Instant?
  private var climb = 0.0
  private var renoWindow = 0.0

  mutating func grow(
    _ window: Double, by delivered: Double, roundTrip: Interval, at now: Instant
  ) -> Double {
    if epoch == nil {
      epoch = now
      plateau = max(plateau, window)
      climb = cubeRoot((plateau - window) / Self.c)
      renoWindow = window
    }
    let elapsed = (now - (epoch ?? now)).seconds
    renoWindow += (renoWindow >= prior ? 1 : Self.renoGrowth) * delivered / window
    if height(at: elapsed) < renoWindow { return max(window, renoWindow) }
    let target = min(max(height(at: elapsed + roundTrip.seconds), window), window * 1.5)
    return window + (target - window) / window * delivered
  }

  private func height(at elapsed: Double) -> Double {
    let distance = elapsed - climb
    return plateau + Self.c * distance * distance * distance
  }

  mutating func reduce(_ window: Double) {
    // §4.7: whoever could not reach its old plateau leaves room for others.
    plateau = window < plateau ? window * (1 + Self.beta) / 2 : window
    prior = window
    epoch = nil
  }
}

/// Of a number that is not negative, by Newton's method: the same on every machine.
private func cubeRoot(_ number: Double) -> Double {
  guard number > 0 else { return 0 }
  var root = max(1, number)
  for _ in 0..<60 { root -= (root - number / (root * root)) / 3 }
  return root
}
