import Units

/// How long one join took, and the seed that replays it.
struct JoinTime: Hashable, Sendable {
  var took: Interval
  var seed: UInt64
}

extension [JoinTime] {
  /// The wait that the given part (0…1) of all joins stayed within; zero without any. The fastest
  /// come first.
  func percentile(_ part: Double) -> Interval {
    guard !isEmpty else { return .zero }
    let index = Int((Double(count) * part).rounded(.up)) - 1
    return self[Swift.max(0, Swift.min(index, count - 1))].took
  }

  /// Some percentiles in milliseconds, and who was slowest.
  func figures(_ parts: [Int]) -> String {
    let shown = parts.map { "p\($0) \(Int(percentile(Double($0) / 100).milliseconds))" }
    let slowest = last.map { "\(Int($0.took.milliseconds)) ms (seed \($0.seed))" } ?? "-"
    return "\(shown.joined(separator: " ")) max \(slowest)"
  }
}
