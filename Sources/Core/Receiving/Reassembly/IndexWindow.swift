import Units

/// Which of the newest 128 indices were seen: for removing duplicates.
struct IndexWindow {
  private var highest: PacketIndex?
  /// Bit n stands for `highest − n`.
  private var seen: (low: UInt64, high: UInt64) = (0, 0)

  /// `false` for a duplicate, or for an index too old to tell.
  mutating func insert(_ index: PacketIndex) -> Bool {
    guard let top = highest else {
      highest = index
      seen = (1, 0)
      return true
    }
    if index > top {
      shift(by: index - top)
      highest = index
      seen.low |= 1
      return true
    }
    let age = top - index
    guard age < 128 else { return false }
    let bit = UInt64(1) << UInt64(age % 64)
    if age < 64 {
      defer { seen.low |= bit }
      return seen.low & bit == 0
    }
    defer { seen.high |= bit }
    return seen.high & bit == 0
  }

  private mutating func shift(by steps: Int64) {
    switch steps {
    case 128...: seen = (0, 0)
    case 64...: seen = (0, seen.low << UInt64(steps - 64))
    default:
      seen = (
        seen.low << UInt64(steps), seen.high << UInt64(steps) | seen.low >> UInt64(64 - steps)
      )
    }
  }
}
