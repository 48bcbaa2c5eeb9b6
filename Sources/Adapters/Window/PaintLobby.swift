/// The page that is shown while nobody else is here.
extension Painter {
  func paint(_ lobby: LobbyLayout) {
    if let heading = lobby.heading { paint(heading, Theme.text) }
    for line in lobby.explanation { paint(line, Theme.secondary) }
    if let box = lobby.roomBox {
      canvas.fill(box, radius: px(12), Theme.panel)
      canvas.outline(box, radius: px(12), width: max(1, px(1)), Theme.outline)
    }
    for line in lobby.room { paint(line, Theme.text) }
    if let copy = lobby.copy {
      let isCopied = scene.interaction.isCopied(.copyRoomID, at: scene.now)
      button(
        .copyRoomID, isCopied ? "Copied" : LobbyLayout.copyText, .strong,
        icon: isCopied ? .check : .copy, in: copy,
        colors: isCopied
          ? (Theme.green, Theme.green, Theme.green)
          : (Theme.accent, Theme.accentHover, Theme.accentPressed),
        ink: isCopied ? Theme.ink : Theme.text)
    }
    if let caption = lobby.commandCaption { paint(caption, Theme.secondary) }
    if let box = lobby.commandBox { canvas.fill(box, radius: px(8), Theme.panel) }
    for line in lobby.command { paint(line, Theme.secondary) }
    if let copy = lobby.copyCommand {
      let isCopied = scene.interaction.isCopied(.copyCommand, at: scene.now)
      button(
        .copyCommand, isCopied ? "Copied" : LobbyLayout.copyCommandText, .body,
        icon: isCopied ? .check : .copy, in: copy,
        colors: isCopied
          ? (Theme.green, Theme.green, Theme.green)
          : (Theme.raised, Theme.hover, Theme.pressed),
        ink: isCopied ? Theme.ink : Theme.text)
    }
  }

  private func paint(_ line: LobbyLayout.Line, _ color: Color) {
    canvas.text(line.text, line.style, in: line.rect, color, align: .center)
  }
}
