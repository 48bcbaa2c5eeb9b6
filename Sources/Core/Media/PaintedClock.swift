package import Units

/// A frame number and a clock that are painted into a picture, so that whoever sees the picture
/// knows which one it is and when it was made, whatever lies between (BENCHMARKS.md, Rules).
///
/// 16 × 6 cells, black for 0 and white for 1, row by row and highest bit first: number (32 bits),
/// microseconds (48), CRC-16 of these (16). A cell is 1/40 of the picture's width and 1/24 of its
/// height, the first one cell away from the top left corner; so they survive scaling and low rates.
package struct PaintedClock: Hashable, Sendable {
  package var number: UInt32
  /// Since the epoch of the clock that both ends share; 48 bits are painted.
  package var microseconds: UInt64

  package init(number: UInt32, microseconds: UInt64) {
    self.number = number
    self.microseconds = microseconds & 0xFFFF_FFFF_FFFF
  }
  package init(number: UInt32, at instant: Instant) {
    self.init(number: number, microseconds: UInt64(clamping: instant.nanoseconds / 1_000))
  }

  /// The painted clock, to the microsecond.
  package var instant: Instant { Instant(nanoseconds: Int64(microseconds) * 1_000) }

  /// A copy of `picture` with this clock over its top left part.
  package func stamp(onto picture: Picture) -> Picture {
    Picture(size: picture.size) { target in
      target.copyMemory(from: picture.bytes)
      paint(into: target, size: picture.size)
    }
  }

  /// Paints over a picture's planes while it is being filled.
  package func paint(into target: UnsafeMutableRawBufferPointer, size: PictureSize) {
    let bits = self.bits
    for (index, isWhite) in bits.enumerated() {
      let cell = Cell(index, of: size)
      for row in cell.rows {
        fill(
          target, row * size.width + cell.columns.lowerBound, cell.columns.count,
          with: isWhite ? 235 : 16)
      }
    }
    // Grey, so that no colour blurs into the cells.
    let area = Cell.area(of: size)
    for plane in 0..<2 {
      let start = size.pixels + plane * size.pixels / 4
      for row in area.rows.lowerBound / 2..<area.rows.upperBound / 2 {
        fill(
          target, start + row * size.width / 2 + area.columns.lowerBound / 2,
          area.columns.count / 2, with: 128)
      }
    }
  }

  /// The clock painted in a picture, also after it was scaled; `nil` where there is none, or none
  /// that its CRC confirms.
  package static func read(_ picture: Picture) -> PaintedClock? {
    let luma = picture.luma
    var number: UInt64 = 0
    var clock: UInt64 = 0
    var sum: UInt64 = 0
    for index in 0..<cellCount {
      let cell = Cell(index, of: picture.size)
      let bit: UInt64 = cell.meanOfMiddle(luma, stride: picture.size.width) > 125 ? 1 : 0
      switch index {
      case ..<32: number = number << 1 | bit
      case ..<80: clock = clock << 1 | bit
      default: sum = sum << 1 | bit
      }
    }
    let found = PaintedClock(number: UInt32(number), microseconds: clock)
    return UInt64(found.checksum) == sum ? found : nil
  }

  private static let cellCount = 96

  private var bits: [Bool] {
    let fields: [(UInt64, Int)] = [
      (UInt64(number), 32), (microseconds, 48), (UInt64(checksum), 16),
    ]
    return fields.flatMap { value, count in
      (0..<count).map { value >> UInt64(count - 1 - $0) & 1 == 1 }
    }
  }

  /// CRC-16/CCITT-FALSE of number and clock: all black and all white do not pass.
  private var checksum: UInt16 {
    var crc: UInt16 = 0xFFFF
    let bytes =
      (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * UInt32($0))) }
      + (0..<6).map { UInt8(truncatingIfNeeded: microseconds >> (40 - 8 * UInt64($0))) }
    for byte in bytes {
      crc ^= UInt16(byte) << 8
      for _ in 0..<8 { crc = crc & 0x8000 != 0 ? crc << 1 ^ 0x1021 : crc << 1 }
    }
    return crc
  }
}

/// Where one cell lies, in pixels.
private struct Cell {
  let columns: Range<Int>
  let rows: Range<Int>

  init(_ index: Int, of size: PictureSize) {
    self.init(column: index % 16, row: index / 16, spanning: (1, 1), size)
  }
  /// All cells.
  static func area(of size: PictureSize) -> Cell {
    Cell(column: 0, row: 0, spanning: (16, 6), size)
  }

  private init(column: Int, row: Int, spanning span: (Int, Int), _ size: PictureSize) {
    columns = (column + 1) * size.width / 40..<(column + 1 + span.0) * size.width / 40
    rows = (row + 1) * size.height / 24..<(row + 1 + span.1) * size.height / 24
  }

  /// The mean of the cell's middle: codecs and scalers blur its edges.
  func meanOfMiddle(_ luma: UnsafeRawBufferPointer, stride: Int) -> Int {
    let across = Self.middle(columns)
    let down = Self.middle(rows)
    var sum = 0
    for row in down {
      for column in across { sum += Int(luma[row * stride + column]) }
    }
    return sum / (across.count * down.count)
  }
  /// Its inner half, and where cells are narrower than a pixel, the pixel at its start.
  private static func middle(_ range: Range<Int>) -> Range<Int> {
    let quarter = range.count / 4
    let start = range.lowerBound + quarter
    return start..<max(range.upperBound - quarter, start + 1)
  }
}

private func fill(
  _ target: UnsafeMutableRawBufferPointer, _ start: Int, _ count: Int, with value: UInt8
) {
  UnsafeMutableRawBufferPointer(rebasing: target[start..<start + count])
    .initializeMemory(as: UInt8.self, repeating: value)
}
