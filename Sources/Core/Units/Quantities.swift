/// Bits a second.
public struct Bitrate: Hashable, Comparable, Sendable {
  public var bitsPerSecond: Int64

  public init(bitsPerSecond: Int64) { self.bitsPerSecond = bitsPerSecond }

  public static let zero = Bitrate(bitsPerSecond: 0)
  public static func kilobits(_ count: Int64) -> Bitrate { Bitrate(bitsPerSecond: count * 1_000) }

  /// The rate at which `bytes` pass in `interval`; zero for an interval that is not positive.
  public init(of bytes: ByteCount, in interval: Interval) {
    self.init(
      bitsPerSecond: interval > .zero
        ? Int64((Double(bytes.bytes) * 8e9 / Double(interval.nanoseconds)).rounded()) : 0)
  }

  public var kilobitsPerSecond: Double { Double(bitsPerSecond) / 1_000 }

  public static func < (left: Bitrate, right: Bitrate) -> Bool {
    left.bitsPerSecond < right.bitsPerSecond
  }
  public static func + (left: Bitrate, right: Bitrate) -> Bitrate {
    Bitrate(bitsPerSecond: left.bitsPerSecond + right.bitsPerSecond)
  }
  public static func - (left: Bitrate, right: Bitrate) -> Bitrate {
    Bitrate(bitsPerSecond: left.bitsPerSecond - right.bitsPerSecond)
  }
  public static func * (rate: Bitrate, factor: Double) -> Bitrate {
    Bitrate(bitsPerSecond: Int64(Double(rate.bitsPerSecond) * factor))
  }

  /// How long `bytes` take at this rate; `.seconds(3600)` when the rate is zero or less.
  public func duration(of bytes: ByteCount) -> Interval {
    guard bitsPerSecond > 0 else { return .seconds(3600) }
    return .seconds(Double(bytes.bytes) * 8 / Double(bitsPerSecond))
  }
  /// How many bytes pass in `interval`.
  public func bytes(in interval: Interval) -> ByteCount {
    ByteCount(Int(Double(bitsPerSecond) * interval.seconds / 8))
  }
}

/// A number of bytes.
public struct ByteCount: Hashable, Comparable, Sendable {
  public var bytes: Int

  public init(_ bytes: Int) { self.bytes = bytes }

  public static let zero = ByteCount(0)
  public static func < (left: ByteCount, right: ByteCount) -> Bool { left.bytes < right.bytes }
  public static func + (left: ByteCount, right: ByteCount) -> ByteCount {
    ByteCount(left.bytes + right.bytes)
  }
  public static func - (left: ByteCount, right: ByteCount) -> ByteCount {
    ByteCount(left.bytes - right.bytes)
  }
  public static func += (left: inout ByteCount, right: ByteCount) { left = left + right }
  public static func -= (left: inout ByteCount, right: ByteCount) { left = left - right }
}
