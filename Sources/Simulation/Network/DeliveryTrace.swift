package import Units

/// A link that changes from millisecond to millisecond, as mahimahi records it: instants at each of
/// which up to 1 500 bytes pass. The recording is repeated for ever, one after another.
package struct DeliveryTrace: Hashable, Sendable {
  package static let opportunityBytes = 1_500
  /// Milliseconds since the beginning, rising; several may be equal.
  private let instants: [Int32]
  /// The last instant: where the next repetition begins.
  private let period: Int

  package enum Problem: Error, Hashable, Sendable, CustomStringConvertible {
    case notANumber(line: Int)
    case falling(line: Int)
    case empty
    case tooLong

    package var description: String {
      switch self {
      case .notANumber(let line):
        "line \(line) is not a whole number of milliseconds; write one instant a line, such as 25"
      case .falling(let line):
        "line \(line) is earlier than the line before it; sort the instants"
      case .empty: "it never delivers anything; add at least one line with an instant above 0"
      case .tooLong: "it has over 4 000 000 lines; cut it to a few minutes"
      }
    }
  }

  package init(instants: [Int32]) throws(Problem) {
    guard instants.count <= 4_000_000 else { throw .tooLong }
    for (index, instant) in instants.enumerated() {
      if instant < 0 { throw .notANumber(line: index + 1) }
      if index > 0, instant < instants[index - 1] { throw .falling(line: index + 1) }
    }
    guard let last = instants.last, last > 0 else { throw .empty }
    self.instants = instants
    period = Int(last)
  }

  /// mahimahi's file: one instant a line, in milliseconds.
  package init(parsing text: [UInt8]) throws(Problem) {
    var instants: [Int32] = []
    for (index, line) in text.split(separator: 10, omittingEmptySubsequences: false).enumerated() {
      let digits = line.last == 13 ? line.dropLast() : line
      if digits.isEmpty { continue }
      guard digits.allSatisfy({ (48...57).contains($0) }),
        let instant = Int32(String(decoding: digits, as: UTF8.self))
      else { throw .notANumber(line: index + 1) }
      instants.append(instant)
    }
    try self.init(instants: instants)
  }

  /// mahimahi's file.
  package var text: String { instants.map { "\($0)\n" }.joined() }

  package var averageRate: Bitrate {
    Bitrate(
      of: ByteCount(instants.count * Self.opportunityBytes), in: .milliseconds(Int64(period)))
  }

  /// When the opportunity comes that has so many before it, since the trace began.
  func time(of opportunity: Int) -> Interval {
    let (round, place) = opportunity.quotientAndRemainder(dividingBy: instants.count)
    return .milliseconds(Int64(round * period) + Int64(instants[place]))
  }

  /// How many opportunities come before `time`, since the trace began.
  func count(before time: Interval) -> Int {
    guard time > .zero else { return 0 }
    // Times are whole milliseconds: before 2.5 ms means at 2 ms or earlier, before 2 ms at 1 ms.
    let last = Int((time.nanoseconds - 1) / 1_000_000)
    // An instant equal to the period belongs to the round that it ends.
    return last / period * instants.count + count(upTo: last % period)
  }

  /// How many instants are at most `limit`.
  private func count(upTo limit: Int) -> Int {
    var low = 0
    var high = instants.count
    while low < high {
      let middle = (low + high) / 2
      if Int(instants[middle]) <= limit { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
