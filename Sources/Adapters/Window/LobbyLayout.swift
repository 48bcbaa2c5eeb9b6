/// The page that is shown while nobody else is here: the room id to pass on, large, and how.
package struct LobbyLayout: Hashable, Sendable {
  package struct Line: Hashable, Sendable {
    package var text: String
    package var style: TextStyle
    package var rect: Rect
  }

  /// Everything lies in it.
  package var frame: Rect
  package var heading: Line?
  package var explanation: [Line] = []
  /// The box around the room id.
  package var roomBox: Rect?
  package var room: [Line] = []
  package var copy: Rect?
  package var commandCaption: Line?
  package var commandBox: Rect?
  package var command: [Line] = []
  package var copyCommand: Rect?

  private static let explanationText =
    "Pass this room id on to the person you want to talk to. Whoever has it can join."
  private static let commandText = "They type this in a terminal:"
  package static let copyText = "Copy room id"
  package static let copyCommandText = "Copy command"

  /// The most helpful arrangement that fits: where height is lacking, the explanation goes
  /// first, then the command, then the headline; the room id and its button stay.
  package init(_ state: WindowState, in area: Rect, _ measure: TextMeasure) {
    frame = Rect(x: area.midX, y: area.midY, width: 0, height: 0)
    let full: [Part] = [.heading, .explanation, .room, .command]
    let choices: [[Part]] = [
      full, [.heading, .room, .command], [.heading, .room], [.room], [.heading],
    ]
    for parts in choices {
      var page = self
      page.arrange(parts, state, in: area, measure)
      if page.frame.height <= area.height || parts == [.heading] {
        page.move(down: area.y + max(0, area.height - page.frame.height) / 2)
        self = page
        return
      }
    }
  }

  private enum Part {
    case heading
    case explanation
    case room
    case command
  }

  /// From the top of the window; `move` centres the result.
  private mutating func arrange(
    _ parts: [Part], _ state: WindowState, in area: Rect, _ measure: TextMeasure
  ) {
    let isSmall = area.height < measure.px(300) || area.width < measure.px(420)
    let gap = measure.px(isSmall ? 8 : 16)
    let width = min(area.width, measure.px(680))
    let column = Rect(x: area.midX - width / 2, y: 0, width: width, height: 0)
    var y = 0
    for part in parts {
      switch part {
      case .heading:
        let style: TextStyle = isSmall ? .heading : .title
        heading = Self.lines([state.waitingText], style, column, &y, measure).first
        y += gap / 2
      case .explanation:
        let lines = TextFit.lines(Self.explanationText, to: width, .body, measure)
        explanation = Self.lines(lines, .body, column, &y, measure)
        y += gap
      case .room:
        guard !state.roomID.isEmpty else { continue }
        placeRoom(state.roomID, column, area: area, &y, gap: gap, measure)
      case .command:
        guard !state.joinCommand.isEmpty else { continue }
        placeCommand(state.joinCommand, column, &y, gap: gap, measure)
      }
    }
    frame = Rect(x: column.x, y: 0, width: width, height: max(0, y - gap))
  }

  private mutating func placeRoom(
    _ roomID: String, _ column: Rect, area: Rect, _ y: inout Int, gap: Int, _ measure: TextMeasure
  ) {
    let padding = gap
    let top = y
    y += padding
    let (lines, style) = Self.broken(roomID, width: column.width - 2 * padding, measure)
    room = Self.lines(lines, style, column, &y, measure)
    y += padding
    roomBox = Rect(x: column.x, y: top, width: column.width, height: y - top)
    y += gap
    copy = Self.button(Self.copyText, .strong, height: 40, column, &y, measure)
    y += gap * 3 / 2
  }

  private mutating func placeCommand(
    _ text: String, _ column: Rect, _ y: inout Int, gap: Int, _ measure: TextMeasure
  ) {
    commandCaption = Self.lines([Self.commandText], .body, column, &y, measure).first
    y += gap / 2
    let padding = measure.px(10)
    let top = y
    y += padding
    let width = column.width - 2 * padding
    let characters = Array(text)
    let lines = TextFit.wrapped(characters, to: width, .code, measure).map {
      String(characters[$0])
    }
    command = Self.lines(lines, .code, column, &y, measure)
    y += padding
    commandBox = Rect(x: column.x, y: top, width: column.width, height: y - top)
    y += gap / 2
    copyCommand = Self.button(Self.copyCommandText, .body, height: 32, column, &y, measure)
    y += gap
  }

  /// The room id in as few lines and as large as the width allows, broken after hyphens only,
  /// and a server's address on a line of its own.
  static func broken(
    _ roomID: String, width: Int, _ measure: TextMeasure
  ) -> ([String], TextStyle) {
    let parts = roomID.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    var groups: [String] = []
    for group in parts[0].split(separator: "-") { groups.append(String(group)) }
    // The short prefix stays with the first group.
    if groups.count > 1, groups[0].count <= 3 { groups[0...1] = [groups[0] + "-" + groups[1]] }
    for (style, most) in [
      (TextStyle.codeLarge, 2), (.codeMedium, 2), (.code, 3), (.code, max(1, groups.count)),
    ] {
      for count in 1...most {
        let size = (groups.count + count - 1) / count
        var lines = stride(from: 0, to: groups.count, by: max(1, size)).map { start in
          let end = min(start + size, groups.count)
          return groups[start..<end].joined(separator: "-") + (end < groups.count ? "-" : "")
        }
        if parts.count > 1 { lines.append("@" + parts[1]) }
        if lines.allSatisfy({ measure.width($0, style) <= width }) { return (lines, style) }
      }
    }
    let characters = Array(roomID)
    let ranges = TextFit.wrapped(characters, to: width, .code, measure)
    return (ranges.map { String(characters[$0]) }, .code)
  }

  private static func lines(
    _ texts: [String], _ style: TextStyle, _ column: Rect, _ y: inout Int, _ measure: TextMeasure
  ) -> [Line] {
    texts.map { text in
      let rect = Rect(x: column.x, y: y, width: column.width, height: measure.lineHeight(style))
      y = rect.maxY
      return Line(text: text, style: style, rect: rect)
    }
  }

  private static func button(
    _ text: String, _ style: TextStyle, height: Int, _ column: Rect, _ y: inout Int,
    _ measure: TextMeasure
  ) -> Rect {
    let width = min(column.width, measure.width(text, style) + measure.px(height * 2))
    let rect = Rect(x: column.midX - width / 2, y: y, width: width, height: measure.px(height))
    y = rect.maxY
    return rect
  }

  private mutating func move(down distance: Int) {
    frame.y += distance
    heading?.rect.y += distance
    for index in explanation.indices { explanation[index].rect.y += distance }
    roomBox?.y += distance
    for index in room.indices { room[index].rect.y += distance }
    copy?.y += distance
    commandCaption?.rect.y += distance
    commandBox?.y += distance
    for index in command.indices { command[index].rect.y += distance }
    copyCommand?.y += distance
  }
}
