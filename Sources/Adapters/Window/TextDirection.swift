/// Which way a text runs, in the few rules that names and chat lines need (of Unicode's UAX #9):
/// spaces and marks between two directions go with the line, numbers always run to the right.
enum TextDirection: Hashable, Sendable {
  case rightward
  case leftward

  /// Characters of one direction and script, in reading order.
  struct Segment: Hashable, Sendable {
    var text: String
    var direction: TextDirection
    /// ISO 15924, as the shaper wants it.
    var script: String
  }

  private enum Kind: Hashable {
    case strong(TextDirection, script: String)
    case number
    case neutral
  }

  private static let common = "Zyyy"

  /// The segments from left to right on the screen.
  static func segments(_ text: String) -> [Segment] {
    let characters = Array(text)
    let kinds = characters.map(kind)
    let directions = kinds.compactMap { kind -> TextDirection? in
      if case .strong(let direction, _) = kind { direction } else { nil }
    }
    guard let base = directions.first, directions.contains(.leftward) else {
      return [Segment(text: text, direction: .rightward, script: common)]
    }
    let sides = resolved(kinds, base: base)
    var groups: [(side: TextDirection, segments: [Segment])] = []
    var script = common
    for (index, character) in characters.enumerated() {
      var segment = Segment(
        text: String(character), direction: sides[index],
        script: sides[index] == .rightward
          ? common : script)
      switch kinds[index] {
      case .strong(.leftward, let own):
        script = own
        segment.script = own
      case .number:
        segment.direction = .rightward
        segment.script = common
      default: break
      }
      if groups.last?.side != sides[index] { groups.append((sides[index], [])) }
      let group = groups.count - 1
      if let last = groups[group].segments.last, last.direction == segment.direction,
        last.script == segment.script
      {
        groups[group].segments[groups[group].segments.count - 1].text.append(character)
      } else {
        groups[group].segments.append(segment)
      }
    }
    if base == .leftward { groups.reverse() }
    return groups.flatMap { $0.side == .leftward ? $0.segments.reversed() : $0.segments }
  }

  /// The side on which each character's segment is placed.
  private static func resolved(_ kinds: [Kind], base: TextDirection) -> [TextDirection] {
    var sides = [TextDirection?](repeating: nil, count: kinds.count)
    var last = base
    for (index, kind) in kinds.enumerated() {
      switch kind {
      case .strong(let direction, _):
        sides[index] = direction
        last = direction
      case .number: sides[index] = last
      case .neutral: break
      }
    }
    var index = 0
    while index < sides.count {
      guard sides[index] == nil else {
        index += 1
        continue
      }
      let end = sides[index...].firstIndex { $0 != nil } ?? sides.count
      let before = index > 0 ? sides[index - 1] : base
      let after = end < sides.count ? sides[end] : base
      for place in index..<end { sides[place] = before == after ? before : base }
      index = end
    }
    return sides.map { $0 ?? base }
  }

  private static func kind(_ character: Character) -> Kind {
    guard let scalar = character.unicodeScalars.first else { return .neutral }
    switch scalar.value {
    case 0x590...0x5FF, 0xFB1D...0xFB4F: return .strong(.leftward, script: "Hebr")
    case 0x660...0x669, 0x6F0...0x6F9: return .number
    case 0x600...0x8FF, 0xFB50...0xFDFF, 0xFE70...0xFEFE:
      return .strong(.leftward, script: "Arab")
    case 0x30...0x39: return .number
    default:
      return scalar.properties.isAlphabetic ? .strong(.rightward, script: common) : .neutral
    }
  }
}
