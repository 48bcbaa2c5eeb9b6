package import Units

/// A cellular link made up from a seed: its rate wanders around an average, and now and then nothing
/// passes (the model of Winstein and others, "Stochastic Forecasts Achieve High Throughput and Low
/// Delay over Cellular Networks", 2013: opportunities at random, at a rate in Brownian motion).
package struct CellularTrace: Hashable, Sendable {
  package var seed: UInt64
  package var average: Bitrate
  /// How far the rate wanders in a second, in parts of the average.
  package var swing = 0.4
  /// Outages a minute, each of 0.1…`longestOutage`.
  package var outagesAMinute = 2.0
  package var longestOutage = Interval.milliseconds(800)
  package var length = Interval.seconds(60)

  package init(seed: UInt64, average: Bitrate) {
    self.seed = seed
    self.average = average
  }

  private static let step = 20
  private static let slots = 8

  /// The same seed gives the same trace.
  package func trace() throws(DeliveryTrace.Problem) -> DeliveryTrace {
    var random = SeededRandom(seed: seed ^ 0x4345_4C4C)
    let mean = Double(average.bitsPerSecond) / 8 / Double(DeliveryTrace.opportunityBytes)
    let milliseconds = Int(length.milliseconds)
    var rate = mean
    var outageUntil = 0
    var instants: [Int32] = []
    let stepRoot = 0.141_421_356  // The root of 20 ms in seconds.
    for millisecond in 1...max(1, milliseconds) {
      if millisecond % Self.step == 0 {
        let pull = (mean - rate) * 0.01
        rate += pull + mean * swing * stepRoot * random.gaussian()
        // Turned back at a tenth and at twice the average.
        if rate < mean / 10 { rate = mean / 5 - rate }
        if rate > mean * 2 { rate = mean * 4 - rate }
      }
      if random.chance(outagesAMinute / 60_000) {
        outageUntil = millisecond + 100 + Int(random.unit() * (longestOutage.milliseconds - 100))
      }
      for _ in 0..<Self.slots where random.chance(rate / 1_000 / Double(Self.slots)) {
        if millisecond >= outageUntil { instants.append(Int32(millisecond)) }
      }
    }
    // Every round takes the whole length.
    instants.append(Int32(milliseconds))
    return try DeliveryTrace(instants: instants)
  }
}
