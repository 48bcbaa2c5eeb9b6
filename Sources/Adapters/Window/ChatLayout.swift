/// The chat panel: a title, the lines, and the field in which one types.
package struct ChatLayout: Hashable, Sendable {
  package var panel: Rect
  package var title: Rect
  package var close: Rect
  package var list: Rect
  package var input: Rect
  package var send: Rect
  /// The typed text's visible lines, top down, and their places; with the composition in it.
  package var inputLines: [InputLine] = []
  package var inputText: [Character]
  /// Where the text cursor is.
  package var caret: Rect
  /// The part of `inputText` that an input method still composes.
  package var composed: Range<Int>

  package struct InputLine: Hashable, Sendable {
    package var range: Range<Int>
    package var rect: Rect
  }

  private static let visibleInputLines = 4

  package init(_ panel: Rect, _ input: WindowLayout.Input, _ measure: TextMeasure) {
    self.panel = panel
    let pad = measure.px(10)
    let headerHeight = measure.px(panel.height < measure.px(260) ? 36 : 48)
    let closeSide = measure.px(30)
    close = Rect(
      x: panel.maxX - pad - closeSide, y: panel.y + (headerHeight - closeSide) / 2,
      width: closeSide, height: closeSide)
    title = Rect(
      x: panel.x + measure.px(16), y: panel.y, width: close.x - panel.x - measure.px(16),
      height: headerHeight)

    let side = measure.px(36)
    let lineHeight = measure.lineHeight(.body)
    let fieldWidth = panel.width - 3 * pad - side
    let textWidth = max(1, fieldWidth - 2 * pad)
    let before = input.draft.characters[..<input.draft.cursor]
    let composition = Array(TextFit.clean(input.composition))
    composed = before.count..<before.count + composition.count
    let text = Array(before) + composition + input.draft.characters[input.draft.cursor...]
    inputText = text
    let wrapped = TextFit.wrapped(text, to: textWidth, .body, measure)
    let cursor = composed.upperBound
    let cursorLine = wrapped.lastIndex { $0.lowerBound <= cursor } ?? 0
    let shown = min(wrapped.count, Self.visibleInputLines)
    let first = min(max(0, cursorLine - shown + 1), wrapped.count - shown)

    let inputPad = (side - lineHeight) / 2
    let height = shown * lineHeight + 2 * inputPad
    let field = Rect(
      x: panel.x + pad, y: panel.maxY - pad - height, width: fieldWidth, height: height)
    self.input = field
    send = Rect(x: field.maxX + pad, y: panel.maxY - pad - side, width: side, height: side)
    list = Rect(
      x: panel.x + pad, y: panel.y + headerHeight, width: panel.width - 2 * pad,
      height: max(0, field.y - pad - panel.y - headerHeight))
    inputLines = (0..<shown).map { row in
      InputLine(
        range: wrapped[first + row],
        rect: Rect(
          x: field.x + pad, y: field.y + inputPad + row * lineHeight, width: textWidth,
          height: lineHeight))
    }
    let line = inputLines[cursorLine - first]
    let left = measure.width(String(text[line.range.lowerBound..<cursor]), .body)
    caret = Rect(
      x: min(line.rect.x + left, line.rect.maxX), y: line.rect.y + measure.px(1),
      width: max(1, measure.px(1.5)), height: lineHeight - measure.px(2))
  }
}

/// The chat's lines as bubbles, from the newest at the bottom upwards.
package struct ChatBubbles: Hashable, Sendable {
  package struct Bubble: Hashable, Sendable {
    /// Index in the state's chat.
    package var index: Int
    package var rect: Rect
    package var author: Rect?
    package var lines: [String]
    package var text: Rect
    /// Delivery marks of one's own lines.
    package var mark: Rect?
  }

  package var bubbles: [Bubble] = []
  /// How far one can scroll back, in pixels.
  package var scrollLimit = 0

  /// `scroll` pixels are hidden below the list. Only the newest 300 lines are shown.
  package init(
    _ chat: [WindowState.ChatLine], in list: Rect, scroll: Int, _ measure: TextMeasure
  ) {
    let gap = measure.px(6)
    let pad = measure.px(10)
    let most = max(1, list.width * 85 / 100 - 2 * pad)
    let lineHeight = measure.lineHeight(.body)
    let authorHeight = measure.lineHeight(.caption)
    let markSide = measure.px(16)
    var bottom = list.maxY + scroll
    var top = bottom
    for index in chat.indices.suffix(300).reversed() {
      let line = chat[index]
      let isOwn = line.author == nil
      let text = TextFit.clean(line.text)
      let lines = TextFit.lines(text, to: most, .body, measure)
      let isFirst = index == 0 || chat[index - 1].author != line.author
      let name = isOwn || !isFirst ? nil : line.author.map { TextFit.clean($0, limit: 80) }
      let lastWidth = measure.width(lines.last ?? "", .body) + (isOwn ? markSide + gap : 0)
      let wraps = lastWidth > most
      var width = lines.map { measure.width($0, .body) }.max() ?? 0
      width = min(max(width, wraps ? 0 : lastWidth), most)
      if let name { width = min(max(width, measure.width(name, .caption)), most) }
      let textHeight = lines.count * lineHeight + (isOwn && wraps ? markSide : 0)
      let inner = textHeight + (name == nil ? 0 : authorHeight)
      let height = inner + measure.px(12)
      let rect = Rect(
        x: isOwn ? list.maxX - width - 2 * pad : list.x, y: bottom - height,
        width: width + 2 * pad, height: height)
      top = rect.y
      if rect.maxY > list.y - height, rect.y < list.maxY {
        let inside = rect.inset(pad, measure.px(6))
        let author = Rect(x: inside.x, y: inside.y, width: inside.width, height: authorHeight)
        bubbles.append(
          Bubble(
            index: index, rect: rect, author: name == nil ? nil : author, lines: lines,
            text: Rect(
              x: inside.x, y: inside.maxY - textHeight, width: inside.width, height: textHeight),
            mark: isOwn
              ? Rect(
                x: inside.maxX - markSide, y: inside.maxY - markSide, width: markSide,
                height: markSide) : nil))
      }
      bottom = rect.y - (isFirst ? gap * 2 : gap)
    }
    scrollLimit = max(0, list.y - (top - scroll))
  }
}
