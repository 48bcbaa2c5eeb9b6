import Media
import Units

/// Everything that one drawing of the window shows.
struct Scene {
  var state: WindowState
  var interaction: Interaction
  var layout: WindowLayout
  var bubbles: ChatBubbles?
  var pictures: [String: Picture]
  var selfPicture: Picture?
  var passing: PassingTexts
  var now: Instant
}

/// Draws a scene, back to front.
struct Painter {
  let canvas: Canvas
  let pictures: PictureTextures
  let scene: Scene
  let notices: NoticePlaces

  init(canvas: Canvas, pictures: PictureTextures, scene: Scene) {
    self.canvas = canvas
    self.pictures = pictures
    self.scene = scene
    notices = NoticePlaces(scene.passing.notices, in: scene.layout.clear, canvas.measure)
  }

  var layout: WindowLayout { scene.layout }
  var measure: TextMeasure { canvas.measure }
  func px(_ units: Double) -> Int { canvas.measure.px(units) }

  func paint() {
    let window = Rect(x: 0, y: 0, width: layout.size.width, height: layout.size.height)
    canvas.fill(window, Theme.background)
    if let lobby = layout.lobby { paint(lobby) }
    for (peer, tile) in zip(scene.state.peers, layout.tiles) { paint(peer, in: tile) }
    paintSelf()
    paintNotices()
    if let chat = layout.chat { paint(chat) }
    paintBar()
    paintTooltip()
  }

  /// The colour of a control that is pointed at or pressed.
  func shade(
    _ control: WindowControl, _ normal: Color, _ hover: Color, _ pressed: Color
  ) -> Color {
    let interaction = scene.interaction
    if interaction.pressed == control, interaction.hovered == control { return pressed }
    return interaction.hovered == control && interaction.pressed == nil ? hover : normal
  }

  func focusRing(_ control: WindowControl, _ rect: Rect, radius: Int) {
    guard scene.interaction.showsFocus, scene.interaction.focus == control else { return }
    let gap = px(3)
    canvas.outline(
      rect.inset(-gap), radius: radius + gap, width: max(1, px(2)), Theme.accentHover)
  }

  /// A filled, rounded button with a text and an icon before it.
  func button(
    _ control: WindowControl, _ text: String, _ style: TextStyle, icon: Icon, in rect: Rect,
    colors: (normal: Color, hover: Color, pressed: Color), ink: Color
  ) {
    let radius = rect.height / 2
    canvas.fill(rect, radius: radius, shade(control, colors.normal, colors.hover, colors.pressed))
    focusRing(control, rect, radius: radius)
    let side = px(style == .strong ? 18 : 15)
    let gap = px(8)
    let room = rect.width - side - gap - 2 * px(10)
    let width = min(measure.width(text, style), room)
    let left = rect.midX - (side + gap + width) / 2
    canvas.icon(icon, in: Rect(x: left, y: rect.midY - side / 2, width: side, height: side), ink)
    canvas.text(
      text, style, in: Rect(x: left + side + gap, y: rect.y, width: width, height: rect.height),
      ink)
  }
}
