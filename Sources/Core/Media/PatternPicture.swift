package import Units

/// The test pattern: a speaker-like scene of fine texture, sensor noise, a slowly swaying camera
/// and a head that moves before it, about as hard for a codec as a webcam's picture, with the
/// painted clock, and a white square during the first 100 ms of every second of that clock.
///
/// The same size, number and clock always give the same picture, so a receiver can draw the
/// original again and compare.
package struct PatternPicture: Sendable {
  package let size: PictureSize
  private let room: PatternTexture
  private let person: PatternTexture
  /// How long the flash lasts.
  package static let flash = Interval.milliseconds(100)

  /// The size must be valid.
  package init(size: PictureSize) {
    self.size = size
    var random = SeededRandom(seed: 0x70_32_70)
    room = PatternTexture(
      width: size.width, brightness: 105, contrast: 60, tint: (132, 122), random: &random)
    person = PatternTexture(
      width: size.width, brightness: 150, contrast: 35, tint: (112, 150), random: &random)
  }

  /// Frame `number`, made at `instant`; it moves as 30 frames a second would.
  package func picture(number: UInt32, at instant: Instant) -> Picture {
    Picture(size: size) { target in
      paintRoom(target, number)
      paintPerson(target, number)
      let clock = PaintedClock(number: number, at: instant)
      clock.paint(into: target, size: size)
      if clock.microseconds % 1_000_000 < UInt64(Self.flash.microseconds) { paintFlash(target) }
    }
  }

  /// A swing of `amplitude` pixels, `seconds` long at 30 frames a second, rounded to an even number
  /// so that chroma moves with luma.
  private func swing(_ number: UInt32, _ amplitude: Int, seconds: Double) -> Int {
    Int((Double(amplitude) / 2 * sine(turns: Double(number) / (30 * seconds))).rounded()) * 2
  }

  private func paintRoom(_ target: UnsafeMutableRawBufferPointer, _ number: UInt32) {
    let left = 128 + swing(number, size.width / 40, seconds: 7.3)
    let top = 128 + swing(number, size.height / 40, seconds: 5.1)
    paint(target, room, number, from: (left, top), rows: 0..<size.height) { _ in 0..<size.width }
  }

  /// Shoulders and a head: two ellipses whose texture moves with them.
  private func paintPerson(_ target: UnsafeMutableRawBufferPointer, _ number: UInt32) {
    let middle = size.width / 2 + swing(number, size.width / 16, seconds: 4.7)
    let nod = swing(number, size.height / 24, seconds: 2.9)
    let parts = [
      Ellipse(
        x: middle, y: size.height + nod, radiusX: size.width / 4, radiusY: size.height * 3 / 8),
      Ellipse(
        x: middle + nod, y: size.height / 2 + nod, radiusX: size.width / 9,
        radiusY: size.height / 4),
    ]
    for (index, part) in parts.enumerated() {
      paint(
        target, person, number, from: (256 * 64 - part.x + 96 * index, 256 * 64 - part.y),
        rows: part.rows(in: size)
      ) { part.columns(row: $0, in: size) }
    }
  }

  /// Copies a texture to where `columns` says, row by row; its point `from` lies at the top left.
  private func paint(
    _ target: UnsafeMutableRawBufferPointer, _ texture: PatternTexture, _ number: UInt32,
    from: (x: Int, y: Int), rows: Range<Int>, columns: (Int) -> Range<Int>
  ) {
    guard let base = target.baseAddress else { return }
    let chroma = base + size.pixels
    let grain = Int(number % 4)
    for row in rows {
      let part = columns(row)
      guard !part.isEmpty else { continue }
      texture.copy(
        plane: 0, x: from.x + part.lowerBound, y: from.y + row, grain: grain, count: part.count,
        to: base + row * size.width + part.lowerBound)
      guard row % 2 == 0 else { continue }
      for plane in 1...2 {
        texture.copy(
          plane: plane, x: (from.x + part.lowerBound) / 2, y: (from.y + row) / 2, grain: 0,
          count: part.count / 2,
          to: chroma + (plane - 1) * size.pixels / 4 + row / 2 * size.width / 2
            + part.lowerBound / 2)
      }
    }
  }

  /// A white square of an eighth of the width in the top right corner.
  private func paintFlash(_ target: UnsafeMutableRawBufferPointer) {
    let side = size.width / 16 * 2
    for row in 0..<min(side, size.height) {
      let start = (row + 1) * size.width - side
      UnsafeMutableRawBufferPointer(rebasing: target[start..<start + side])
        .initializeMemory(as: UInt8.self, repeating: 235)
    }
  }
}

private struct Ellipse {
  let x: Int
  let y: Int
  let radiusX: Int
  let radiusY: Int

  func rows(in size: PictureSize) -> Range<Int> {
    max(0, y - radiusY)..<max(0, min(size.height, y + radiusY))
  }
  /// The even columns that it covers in a row.
  func columns(row: Int, in size: PictureSize) -> Range<Int> {
    let height = Double(row - y) / Double(radiusY)
    let half = Int(Double(radiusX) * max(0, 1 - height * height).squareRoot())
    let start = max(0, x - half) & ~1
    return start..<max(start, min(size.width, x + half) & ~1)
  }
}
