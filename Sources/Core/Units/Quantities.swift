/// Bits a second.
package struct Bitrate: Hashable, Comparable, Sendable {
  package var bitsPerSecond: Int64

  package init(bitsPerSecond: Int64) { self.bitsPerSecond = bitsPerSecond }

  package static let zero = Bitrate(bitsPerSecond: 0)
  package static func kilobits(_ count: Int64) -> Bitrate { Bitrate(bitsPerSecond: count * 1_000) }

  /// The rate at which `bytes` pass in `interval`; zero for an interval that is not positive.
  package init(of bytes: ByteCount, in interval: Interval) {
    self.init(
      bitsPerSecond: interval > .zero
        ? Int64((Double(bytes.bytes) * 8e9 / Double(interval.nanoseconds)).rounded()) : 0)
  }

  package var kilobitsPerSecond: Double { Double(bitsPerSecond) / 1_000 }

  package static func < (left: Bitrate, right: Bitrate) -> Bool {
    left.bitsPerSecond < right.bitsPerSecond
  }
  package static func + (left: Bitrate, right: Bitrate) -> Bitrate {
    Bitrate(bitsPerSecond: left.bitsPerSecond + right.bitsPerSecond)
  }
  package static func - (left: Bitrate, right: Bitrate) -> Bitrate {
    Bitrate(bitsPerSecond: left.bitsPerSecond - right.bitsPerSecond)
  }
  package static func * (rate: Bitrate, factor: Double) -> Bitrate {
    Bitrate(bitsPerSecond: Int64(Double(rate.bitsPerSecond) * factor))
  }

  /// How long `bytes` take at this rate; `.seconds(3600)` when the rate is zero or less.
  package func duration(of bytes: ByteCount) -> Interval {
    guard bitsPerSecond > 0 else { return .seconds(3600) }
    return .seconds(Double(bytes.bytes) * 8 / Double(bitsPerSecond))
  }
  /// How many bytes pass in `interval`.
  package func bytes(in interval: Interval) -> ByteCount {
    ByteCount(Int(Double(bitsPerSecond) * interval.seconds / 8))
  }
}

/// A number of bytes.
package struct ByteCount: Hashable, Comparable, Sendable {
  package var bytes: Int

  package init(_ bytes: Int) { self.bytes = bytes }

  package static let zero = ByteCount(0)
  package static func < (left: ByteCount, right: ByteCount) -> Bool { left.bytes < right.bytes }
  package static func + (left: ByteCount, right: ByteCount) -> ByteCount {
    ByteCount(left.bytes + right.bytes)
  }
  package static func - (left: ByteCount, right: ByteCount) -> ByteCount {
    ByteCount(left.bytes - right.bytes)
  }
  package static func += (left: inout ByteCount, right: ByteCount) { left = left + right }
  package static func -= (left: inout ByteCount, right: ByteCount) { left = left - right }
}
