package import Media
package import Units

/// A picture that the judge handed to a sender.
package struct SentFrame: Hashable, Sendable {
  package var number: UInt32
  /// Painted in it: taken just before it was handed over.
  package var at: Instant

  package init(number: UInt32, at: Instant) {
    self.number = number
    self.at = at
  }
}

/// A picture that came out of a receiver.
package struct SeenFrame: Hashable, Sendable {
  /// `nil` where no clock could be read.
  package var clock: PaintedClock?
  /// When its last byte was read.
  package var at: Instant
  package var size: PictureSize

  package init(clock: PaintedClock?, at: Instant, size: PictureSize) {
    self.clock = clock
    self.at = at
    self.size = size
  }
}

/// What became of one sender's pictures at one receiver.
package struct FrameFindings: Sendable {
  /// Of the pictures handed over in the window: how many were seen, of how many.
  package var delivered = 0
  package var sent = 0
  /// Seen pictures without a readable clock, with a number that the sender never used, seen again,
  /// or seen after a later one.
  package var unreadable = 0
  package var foreign = 0
  package var doubled = 0
  package var disordered = 0
  /// Sizes other than the expected one.
  package var otherSizes = 0
  /// The last of them.
  package var otherSize: PictureSize?
  /// From stamp to the picture's last byte, in the order seen.
  package var latencies: [Interval] = []
  /// Gaps over 150 ms between pictures seen in the window, and their sum.
  package var freezes = 0
  package var frozen = Interval.zero
  package var firstSeen: Instant?

  package var deliveredPercent: Double {
    sent == 0 ? 0 : 100 * Double(delivered) / Double(sent)
  }

  /// The window opens with the first seen picture's stamp and closes at `end`.
  package init(sent: [SentFrame], seen: [SeenFrame], size: PictureSize, end: Instant) {
    firstSeen = seen.first?.at
    let numbers = Set(sent.map(\.number))
    let start = seen.lazy.compactMap(\.clock).first?.instant ?? .zero
    let window = sent.filter { $0.at >= start && $0.at <= end }
    self.sent = window.count
    var met: Set<UInt32> = []
    var highest: UInt32?
    for frame in seen {
      if frame.size != size {
        otherSizes += 1
        otherSize = frame.size
      }
      guard let clock = frame.clock else {
        unreadable += 1
        continue
      }
      guard numbers.contains(clock.number) else {
        foreign += 1
        continue
      }
      latencies.append(frame.at - clock.instant)
      guard met.insert(clock.number).inserted else {
        doubled += 1
        continue
      }
      if let highest, clock.number < highest { disordered += 1 }
      highest = max(highest ?? 0, clock.number)
    }
    delivered = window.count { met.contains($0.number) }
    let times = seen.map(\.at).filter { $0 <= end } + [end]
    for (before, after) in zip(times, times.dropFirst())
    where after - before > .milliseconds(150) {
      freezes += 1
      frozen = frozen + (after - before)
    }
  }
}

/// The value below which `percent` of the values lie (nearest rank); `nil` for no values.
package func percentile(_ percent: Double, of values: [Double]) -> Double? {
  guard !values.isEmpty else { return nil }
  let sorted = values.sorted()
  let rank = Int((percent / 100 * Double(sorted.count)).rounded(.up))
  return sorted[min(max(rank, 1), sorted.count) - 1]
}

extension [Interval] {
  /// Milliseconds.
  package func percentile(_ percent: Double) -> Double? {
    Judging.percentile(percent, of: map(\.milliseconds))
  }
}
