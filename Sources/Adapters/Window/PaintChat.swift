/// The chat panel.
extension Painter {
  func paint(_ chat: ChatLayout) {
    canvas.fill(chat.panel, Theme.panel)
    canvas.text("Chat", .heading, in: chat.title, Theme.text)
    let close = shade(.closeChat, Theme.panel, Theme.hover, Theme.pressed)
    canvas.fill(chat.close, radius: chat.close.height / 2, close)
    canvas.icon(.close, in: chat.close.inset(px(7)), Theme.secondary)
    focusRing(.closeChat, chat.close, radius: chat.close.height / 2)
    canvas.clipped(to: chat.list) { paintBubbles(chat) }
    paintInput(chat)
  }

  private func paintBubbles(_ chat: ChatLayout) {
    guard let bubbles = scene.bubbles else { return }
    if scene.state.chat.isEmpty {
      let lines = TextFit.lines(
        "Nothing has been written yet.", to: chat.list.width, .body, measure)
      for (row, line) in lines.enumerated() {
        let height = measure.lineHeight(.body)
        let rect = Rect(
          x: chat.list.x, y: chat.list.midY + row * height - height, width: chat.list.width,
          height: height)
        canvas.text(line, .body, in: rect, Theme.faint, align: .center)
      }
    }
    for bubble in bubbles.bubbles {
      let line = scene.state.chat[bubble.index]
      let isOwn = line.author == nil
      canvas.fill(bubble.rect, radius: px(12), isOwn ? Theme.accentPressed : Theme.raised)
      if let author = bubble.author, let name = line.author {
        canvas.text(TextFit.clean(name, limit: 80), .caption, in: author, Theme.secondary)
      }
      canvas.lines(bubble.lines, .body, in: bubble.text, Theme.text)
      guard let mark = bubble.mark else { continue }
      let icon: Icon =
        switch line.delivery {
        case .sending: .clock
        case .sent: .check
        case .delivered: .doubleCheck
        }
      canvas.icon(icon, in: mark.inset(px(1)), Theme.text.opacity(0.8))
    }
  }

  private func paintInput(_ chat: ChatLayout) {
    let isTyping = scene.interaction.isTyping
    canvas.fill(chat.input, radius: px(10), Theme.field)
    canvas.outline(
      chat.input, radius: px(10), width: max(1, px(1)), isTyping ? Theme.accent : Theme.outline)
    if chat.inputText.isEmpty, let first = chat.inputLines.first {
      canvas.text("Write a message", .body, in: first.rect, Theme.faint)
    }
    for line in chat.inputLines {
      canvas.text(String(chat.inputText[line.range]), .body, in: line.rect, Theme.text)
      underline(chat.composed.clamped(to: line.range), line, chat)
    }
    if isTyping { canvas.fill(chat.caret, Theme.text) }
    let canSend = !scene.interaction.draft.isBlank
    canvas.fill(
      chat.send, radius: chat.send.height / 2,
      canSend
        ? shade(.sendChat, Theme.accent, Theme.accentHover, Theme.accentPressed) : Theme.raised)
    canvas.icon(.send, in: chat.send.inset(px(8)), canSend ? Theme.text : Theme.faint)
    focusRing(.sendChat, chat.send, radius: chat.send.height / 2)
  }

  /// What an input method still composes.
  private func underline(_ range: Range<Int>, _ line: ChatLayout.InputLine, _ chat: ChatLayout) {
    guard !range.isEmpty else { return }
    let before = String(chat.inputText[line.range.lowerBound..<range.lowerBound])
    let x = line.rect.x + measure.width(before, .body)
    let width = measure.width(String(chat.inputText[range]), .body)
    canvas.fill(
      Rect(x: x, y: line.rect.maxY - px(2), width: width, height: max(1, px(1.5))), Theme.accent)
  }
}
