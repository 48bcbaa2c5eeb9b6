/// A 16-bit number on the wire that wraps, such as RTP's sequence number (RFC 3550 §5.1).
public struct SequenceNumber: Hashable, Sendable {
  public var value: UInt16

  public init(_ value: UInt16) { self.value = value }
  public init(_ index: PacketIndex) { value = UInt16(truncatingIfNeeded: index.value) }

  public var next: SequenceNumber { SequenceNumber(value &+ 1) }
  /// Steps from `other` to self on the shorter way round, −32768…32767.
  public func distance(from other: SequenceNumber) -> Int {
    Int(Int16(truncatingIfNeeded: Int(value) - Int(other.value)))
  }
}

/// A sequence number without wrap: the 64-bit count that Core reasons with.
public struct PacketIndex: Hashable, Comparable, Sendable {
  public var value: Int64

  public init(_ value: Int64) { self.value = value }

  public static func < (left: PacketIndex, right: PacketIndex) -> Bool { left.value < right.value }
  public static func + (index: PacketIndex, steps: Int64) -> PacketIndex {
    PacketIndex(index.value + steps)
  }
  public static func - (left: PacketIndex, right: PacketIndex) -> Int64 {
    left.value - right.value
  }
  public static func += (index: inout PacketIndex, steps: Int64) { index = index + steps }
}

/// Turns wrapping numbers into indices: each is taken as the one nearest to the highest seen.
public struct SequenceUnwrapper: Sendable {
  private var highest: PacketIndex?

  public init() {}

  public mutating func index(of number: SequenceNumber) -> PacketIndex {
    guard let reference = highest else {
      // One wrap of head room, so that packets reordered before the first stay positive.
      let first = PacketIndex(65_536 + Int64(number.value))
      highest = first
      return first
    }
    let index = reference + Int64(number.distance(from: SequenceNumber(reference)))
    if index > reference { highest = index }
    return index
  }
}

/// Turns 32-bit RTP timestamps into 64-bit ones that do not wrap.
public struct TimestampUnwrapper: Sendable {
  private var highest: Int64?

  public init() {}

  public mutating func timestamp(of wire: UInt32) -> Int64 {
    guard let reference = highest else {
      let first = (Int64(1) << 32) + Int64(wire)
      highest = first
      return first
    }
    let step = Int64(Int32(truncatingIfNeeded: Int64(wire) - reference))
    let timestamp = reference + step
    if step > 0 { highest = timestamp }
    return timestamp
  }
}
