import Testing
import Units

@testable import Sending

@Suite struct CapacityEstimateTests {
  /// Of 1 000 bytes that left 4 ms apart, at 2 Mbit/s.
  private func gap(arrived: Double) -> CapacityEstimate.Gap {
    CapacityEstimate.Gap(
      at: .zero + .seconds(1), size: ByteCount(1_000), sent: .milliseconds(4),
      arrived: .seconds(arrived / 1_000), waited: .zero)
  }

  /// Thought to carry 2 Mbit/s, then these gaps came.
  private func rate(after arrivals: [Double], isQuiet: Bool) -> Bitrate {
    var estimate = CapacityEstimate(start: .kilobits(2_000))
    for _ in 0..<6 { estimate.append(gap(arrived: 4)) }
    _ = estimate.update(isQuiet: isQuiet, at: .zero + .seconds(1))
    estimate.forget()
    for arrival in arrivals { estimate.append(gap(arrived: arrival)) }
    _ = estimate.update(isQuiet: isQuiet, at: .zero + .seconds(1))
    return estimate.rate
  }

  /// A mean of 5 ms; every third packet comes twice as close.
  private let jittered = [7, 5.5, 2.5, 6.5, 6, 2.5]

  @Test func `packets that all come further apart tell of a slower path, queue or not`() {
    let even = [Double](repeating: 5, count: 6)
    #expect(rate(after: even, isQuiet: true) == .kilobits(1_600))
    #expect(rate(after: even, isQuiet: false) == .kilobits(1_600))
  }

  @Test func `trains that jitter stretched do not while no queue stands`() {
    #expect(rate(after: jittered, isQuiet: true) == .kilobits(2_000))
    #expect(rate(after: jittered, isQuiet: false) == .kilobits(1_600))
  }

  @Test func `trains that came faster than thought raise the estimate, jittered or not`() {
    let faster = jittered.map { $0 * 0.64 }
    #expect(rate(after: faster, isQuiet: true) == .kilobits(2_500))
    #expect(rate(after: faster, isQuiet: false) == .kilobits(2_500))
  }
}
