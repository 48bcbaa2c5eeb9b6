/// How one axis of a plane is resampled: for each target position the source positions that it is
/// made of, with weights of 12 bits that add up to 4096.
///
/// Downwards every source sample counts by the area that it covers; upwards the two nearest ones
/// are blended, centres aligned.
struct ScalingAxis {
  static let one: UInt32 = 4_096

  /// `firstTap[i]..<firstTap[i + 1]` are target position i's taps.
  private(set) var firstTap: [Int] = [0]
  private(set) var positions: [Int] = []
  private(set) var weights: [UInt32] = []

  /// Both lengths are positive.
  init(from source: Int, to target: Int) {
    for index in 0..<target {
      if target < source {
        appendArea(index, source, target)
      } else {
        appendBlend(index, source, target)
      }
      firstTap.append(positions.count)
    }
  }

  /// Target sample `index` covers [index · source, (index + 1) · source) in units of 1/target.
  private mutating func appendArea(_ index: Int, _ source: Int, _ target: Int) {
    let start = index * source
    let end = start + source
    var left = Self.one
    var position = start / target
    while position * target < end {
      let covered = min(end, (position + 1) * target) - max(start, position * target)
      let isLast = (position + 1) * target >= end
      let weight = isLast ? left : UInt32(covered * Int(Self.one) / source)
      append(position, weight)
      left -= weight
      position += 1
    }
  }

  /// The centre of target sample `index` lies at (2 · index + 1) · source / (2 · target) − ½.
  private mutating func appendBlend(_ index: Int, _ source: Int, _ target: Int) {
    let scaled = (2 * index + 1) * source - target
    guard scaled > 0 else { return append(0, Self.one) }
    let position = scaled / (2 * target)
    guard position < source - 1 else { return append(source - 1, Self.one) }
    let weight = UInt32((scaled % (2 * target)) * Int(Self.one) / (2 * target))
    append(position, Self.one - weight)
    if weight > 0 { append(position + 1, weight) }
  }

  private mutating func append(_ position: Int, _ weight: UInt32) {
    positions.append(position)
    weights.append(weight)
  }
}
