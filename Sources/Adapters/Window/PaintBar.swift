/// The button bar and its tooltips.
extension Painter {
  func paintBar() {
    guard let bar = layout.bar else { return }
    let isOver = layout.stage.intersects(bar) || (layout.chat?.panel.intersects(bar) ?? false)
    canvas.fill(bar, isOver ? Theme.background.opacity(0.82) : Theme.background)
    for button in layout.buttons { paint(button) }
  }

  private func paint(_ button: WindowLayout.Button) {
    let look = look(of: button.control)
    let disc = button.disc
    let radius = disc.height / 2
    canvas.fill(disc, radius: radius, shade(button.control, look.fill, look.hover, look.pressed))
    canvas.icon(look.icon, in: disc.inset(disc.width * 27 / 100), look.ink)
    focusRing(button.control, disc, radius: radius)
    if button.control == .chat, scene.interaction.unreadLines > 0 { paintUnread(on: disc) }
    guard button.showsLabel else { return }
    let label = Rect(
      x: button.rect.x, y: disc.maxY + px(3), width: button.rect.width,
      height: max(0, button.rect.maxY - disc.maxY - px(3)))
    canvas.text(look.label, .caption, in: label, Theme.secondary, align: .center)
  }

  private func paintUnread(on disc: Rect) {
    let count = scene.interaction.unreadLines
    let text = count > 99 ? "99+" : String(count)
    let height = px(18)
    let width = max(height, measure.width(text, .small) + px(8))
    let badge = Rect(
      x: min(disc.maxX - px(10), layout.size.width - width), y: max(0, disc.y - px(5)),
      width: width, height: height)
    canvas.fill(badge.inset(-px(2)), radius: height / 2 + px(2), Theme.background)
    canvas.fill(badge, radius: height / 2, Theme.accent)
    canvas.text(text, .small, in: badge, Theme.text, align: .center)
  }

  private struct Look {
    var icon: Icon
    var label: String
    var fill = Theme.raised
    var hover = Theme.hover
    var pressed = Theme.pressed
    var ink = Theme.text
    /// Says more than the label.
    var tooltip: String
  }

  private func look(of control: WindowControl) -> Look {
    let state = scene.state
    let interaction = scene.interaction
    func toggled(_ look: Look, _ isOn: Bool) -> Look {
      guard isOn else { return look }
      var look = look
      look.fill = Theme.accent
      look.hover = Theme.accentHover
      look.pressed = Theme.accentPressed
      return look
    }
    func device(
      _ device: WindowState.Device, on: Look, off: Look, absent: Look
    ) -> Look {
      switch device {
      case .on: return on
      case .off:
        var look = off
        look.fill = Theme.text
        look.hover = Color(0xFFFFFF)
        look.pressed = Theme.secondary
        look.ink = Theme.ink
        return look
      case .absent:
        var look = absent
        look.hover = look.fill
        look.pressed = look.fill
        look.ink = Theme.faint
        return look
      }
    }
    switch control {
    case .mute:
      return device(
        state.microphone,
        on: Look(icon: .microphone, label: "Mute", tooltip: "Mute the microphone"),
        off: Look(icon: .microphoneOff, label: "Unmute", tooltip: "You are muted: unmute"),
        absent: Look(icon: .microphoneOff, label: "No sound", tooltip: "No microphone in use"))
    case .camera:
      return device(
        state.camera,
        on: Look(icon: .camera, label: "Camera off", tooltip: "Turn the camera off"),
        off: Look(icon: .cameraOff, label: "Camera on", tooltip: "Your camera is off: turn it on"),
        absent: Look(icon: .cameraOff, label: "No camera", tooltip: "No camera in use"))
    case .chat:
      let isOpen = interaction.isChatOpen
      return toggled(
        Look(icon: .chat, label: "Chat", tooltip: isOpen ? "Close the chat" : "Open the chat"),
        isOpen)
    case .statistics:
      return toggled(
        Look(icon: .statistics, label: "Statistics", tooltip: "How good the connection is"),
        interaction.showsStatistics)
    case .fullScreen:
      let isFull = interaction.isFullScreen
      return Look(
        icon: isFull ? .window : .fullScreen, label: isFull ? "Window" : "Full screen",
        tooltip: isFull ? "Back to a window" : "Fill the screen")
    default:
      return Look(
        icon: .leave, label: "Leave", fill: Theme.red, hover: Theme.redHover,
        pressed: Theme.redPressed, tooltip: "Leave the call")
    }
  }

  /// Above the button that is pointed at: what it does, and its key.
  func paintTooltip() {
    guard let control = scene.interaction.hovered, scene.interaction.pressed == nil,
      let button = layout.buttons.first(where: { $0.control == control })
    else { return }
    let text = look(of: control).tooltip
    let key = Interaction.shortcut(of: control).map { String($0).uppercased() } ?? ""
    let keyWidth = measure.width(key, .caption) + px(12)
    let width = min(
      measure.width(text, .caption) + keyWidth + px(30), layout.size.width - px(8))
    let height = px(30)
    let left = min(
      max(px(4), button.rect.midX - width / 2), layout.size.width - width - px(4))
    let box = Rect(
      x: left, y: button.rect.y - height - px(8), width: width, height: height)
    canvas.fill(box.inset(-px(1)), radius: px(9), Theme.outline)
    canvas.fill(box, radius: px(8), Theme.ink)
    let label = Rect(
      x: box.x + px(10), y: box.y, width: width - keyWidth - px(26), height: height)
    canvas.text(text, .caption, in: label, Theme.text)
    let cap = Rect(
      x: box.maxX - px(8) - keyWidth, y: box.midY - px(10), width: keyWidth, height: px(20))
    canvas.fill(cap, radius: px(5), Theme.raised)
    canvas.text(key, .caption, in: cap, Theme.secondary, align: .center)
  }
}
