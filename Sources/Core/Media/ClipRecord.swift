/// What `p2pcall-media` tells the program that started it, on its standard output: one description
/// or problem, then pictures and sound in the order of their times, until it is stopped.
///
/// Each record: kind u8, length u32 and time u64 in microseconds (big-endian), then its bytes.
package enum ClipRecord {
  package enum Kind: UInt8, Sendable {
    /// A `ClipDescription`.
    case description = 1
    /// An I420 picture of the described size.
    case picture = 2
    /// 10 ms of sound: 480 samples, s16le.
    case sound = 3
    /// A `MediaError`; nothing follows.
    case problem = 4
  }

  package struct Header: Hashable, Sendable {
    package static let size = 13
    package var kind: Kind
    package var length: Int
    /// Since the clip's first start; it goes on through all loops.
    package var microseconds: Int64

    package init(kind: Kind, length: Int, microseconds: Int64) {
      self.kind = kind
      self.length = length
      self.microseconds = microseconds
    }

    /// `nil` for anything else than a header with a length that its kind can have.
    package init?(bytes: [UInt8]) {
      guard bytes.count == Self.size, let kind = Kind(rawValue: bytes[0]) else { return nil }
      self.kind = kind
      length = Int(bigEndian(bytes[1..<5]))
      guard length <= Self.limit(of: kind) else { return nil }
      microseconds = Int64(bitPattern: bigEndian(bytes[5...]))
      guard microseconds >= 0 else { return nil }
    }

    private static func limit(of kind: Kind) -> Int {
      switch kind {
      case .description: ClipDescription.size
      case .picture: 4_096 * 4_096 * 3 / 2
      case .sound: 2 * AudioFormat.blockSamples
      case .problem: 4_096
      }
    }

    package var bytes: [UInt8] {
      [kind.rawValue] + bigEndian(UInt64(length), 4)
        + bigEndian(UInt64(bitPattern: microseconds), 8)
    }
  }
}

/// What a clip has.
package struct ClipDescription: Hashable, Sendable {
  package static let size = 9
  /// `nil` without pictures.
  package var pictureSize: PictureSize?
  package var framesPerSecond: Double
  package var hasSound: Bool

  package init(pictureSize: PictureSize?, framesPerSecond: Double, hasSound: Bool) {
    self.pictureSize = pictureSize
    self.framesPerSecond = framesPerSecond
    self.hasSound = hasSound
  }

  /// `nil` for anything that describes no clip.
  package init?(bytes: [UInt8]) {
    guard bytes.count == Self.size else { return nil }
    let size = PictureSize(
      width: Int(bigEndian(bytes[0..<2])), height: Int(bigEndian(bytes[2..<4])))
    guard size.isValid || size == PictureSize(width: 0, height: 0), bytes[8] <= 1 else {
      return nil
    }
    pictureSize = size.isValid ? size : nil
    framesPerSecond = Double(bigEndian(bytes[4..<8])) / 1_000
    guard (0.001...240).contains(framesPerSecond) else { return nil }
    hasSound = bytes[8] == 1
  }

  /// Width and height (u16 each, 0 without pictures), frames in 1000 s (u32), sound (u8, 0 or 1).
  package var bytes: [UInt8] {
    let rate = min(max((framesPerSecond * 1_000).rounded(), 1), 240_000)
    return bigEndian(UInt64(pictureSize?.width ?? 0), 2)
      + bigEndian(UInt64(pictureSize?.height ?? 0), 2) + bigEndian(UInt64(rate), 4)
      + [hasSound ? 1 : 0]
  }
}

extension MediaError {
  /// For a record of kind `.problem`: the kind's number, message, newline, remedy.
  package var record: [UInt8] {
    let number = UInt8(Self.kinds.firstIndex(of: kind) ?? 0)
    return [number] + Array((message + "\n" + remedy).utf8.prefix(4_000))
  }

  /// `nil` for bytes that are no such record. Control characters are left out of the sentences.
  package init?(record: [UInt8]) {
    guard let number = record.first, Int(number) < Self.kinds.count else { return nil }
    let lines = String(decoding: record.dropFirst(), as: UTF8.self).split(
      separator: "\n", maxSplits: 1)
    guard lines.count == 2 else { return nil }
    func clean(_ text: Substring) -> String {
      String(text.unicodeScalars.filter { $0.value >= 32 && $0.value != 127 }.map(Character.init))
    }
    self.init(Self.kinds[Int(number)], clean(lines[0]), remedy: clean(lines[1]))
  }

  private static let kinds: [Kind] = [
    .failed, .ended, .absent, .busy, .denied, .unsupported, .malformed,
  ]
}

private func bigEndian(_ bytes: ArraySlice<UInt8>) -> UInt64 {
  bytes.reduce(0) { $0 << 8 | UInt64($1) }
}

private func bigEndian(_ value: UInt64, _ count: UInt64) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * (count - 1 - $0))) }
}
