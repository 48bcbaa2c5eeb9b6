import Units

/// A surface for the test pattern: seamless noise of several scales in luma and, coarser, chroma,
/// 256 samples high, with a little sensor noise that differs from frame to frame.
///
/// Rows repeat to `width` + 256 samples, so that any stretch of a row is one copy.
struct PatternTexture: Sendable {
  static let side = 256
  /// How many samples of sensor noise there are to choose from.
  static let grains = 4

  private let stride: Int
  private let luma: [UInt8]
  private let chromaU: [UInt8]
  private let chromaV: [UInt8]

  /// Even `width`; `brightness` and `tint` are the means of Y and of U and V, `contrast` is how far
  /// Y goes from its mean.
  init(
    width: Int, brightness: Double, contrast: Double, tint: (u: Double, v: Double),
    random: inout SeededRandom
  ) {
    stride = width + Self.side
    let shade = PeriodicNoise(octaves: 5, random: &random)
    let hueU = PeriodicNoise(octaves: 2, random: &random)
    let hueV = PeriodicNoise(octaves: 2, random: &random)
    var rows: [UInt8] = []
    rows.reserveCapacity(Self.grains * Self.side * stride)
    let clean = (0..<Self.side * Self.side).map { index in
      Int(brightness + contrast * shade[index % Self.side, index / Self.side])
    }
    for _ in 0..<Self.grains {
      for y in 0..<Self.side {
        let row = clean[y * Self.side..<(y + 1) * Self.side].map {
          UInt8(clamping: $0 + Int(random.next() >> 62) - 1)
        }
        Self.append(row, repeatedTo: stride, to: &rows)
      }
    }
    luma = rows
    (chromaU, chromaV) = (
      Self.chroma(tint.u, hueU, stride / 2), Self.chroma(tint.v, hueV, stride / 2)
    )
  }

  private static func chroma(_ tint: Double, _ hue: PeriodicNoise, _ stride: Int) -> [UInt8] {
    var rows: [UInt8] = []
    rows.reserveCapacity(side / 2 * stride)
    for y in 0..<side / 2 {
      let row = (0..<side / 2).map { x in UInt8(clamping: Int(tint + 24 * hue[2 * x, 2 * y])) }
      append(row, repeatedTo: stride, to: &rows)
    }
    return rows
  }

  private static func append(_ row: [UInt8], repeatedTo count: Int, to rows: inout [UInt8]) {
    var left = count
    while left > 0 {
      rows += row.prefix(left)
      left -= row.count
    }
  }

  /// Copies `count` samples of a plane (0 is Y, 1 U, 2 V) from any point of the surface.
  func copy(
    plane: Int, x: Int, y: Int, grain: Int, count: Int, to target: UnsafeMutableRawPointer
  ) {
    let (samples, side, stride) =
      plane == 0
      ? (luma, Self.side, stride) : (plane == 1 ? chromaU : chromaV, Self.side / 2, stride / 2)
    let row = (y & (side - 1)) + (plane == 0 ? (grain & (Self.grains - 1)) * side : 0)
    samples.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      target.copyMemory(from: base + row * stride + (x & (side - 1)), byteCount: count)
    }
  }
}

/// Value noise that repeats every 256 samples, between about −1 and 1.
private struct PeriodicNoise {
  /// One grid of random values for each octave; the first has 4 × 4, each next one double.
  private var grids: [[Double]] = []

  init(octaves: Int, random: inout SeededRandom) {
    for octave in 0..<octaves {
      let side = 4 << octave
      grids.append((0..<side * side).map { _ in random.unit() * 2 - 1 })
    }
  }

  subscript(x: Int, y: Int) -> Double {
    var sum = 0.0
    var weight = 0.6
    for (octave, grid) in grids.enumerated() {
      let side = 4 << octave
      let cell = PatternTexture.side / side
      let (column, row) = (x / cell, y / cell)
      let right = Self.eased(Double(x % cell) / Double(cell))
      let down = Self.eased(Double(y % cell) / Double(cell))
      let (nextColumn, nextRow) = ((column + 1) % side, (row + 1) % side)
      let above =
        grid[row * side + column] * (1 - right) + grid[row * side + nextColumn] * right
      let below =
        grid[nextRow * side + column] * (1 - right) + grid[nextRow * side + nextColumn] * right
      sum += weight * (above * (1 - down) + below * down)
      weight *= 0.6
    }
    return sum
  }

  private static func eased(_ part: Double) -> Double { part * part * (3 - 2 * part) }
}
