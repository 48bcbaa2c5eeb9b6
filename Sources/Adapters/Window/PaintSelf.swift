import CSDL
import Media

/// One's own picture, or that it is off; and whether one is muted.
extension Painter {
  /// No session id looks like it.
  static let ownKey = "self"

  func paintSelf() {
    guard let place = layout.selfView else { return }
    let isOff = scene.state.camera == .off
    let liesOnPicture = !layout.isSelfTile && layout.lobby == nil
    if liesOnPicture { canvas.fill(place.inset(-px(2)), Theme.background) }
    canvas.fill(place, Theme.tile)
    let inside = overlay(of: place)
    let height = px(inside.height < px(60) ? 20 : 24)
    let plate = Rect(x: inside.x, y: inside.maxY - height, width: inside.width, height: height)
    if !isOff, let picture = scene.selfPicture,
      let texture = pictures.texture(picture, of: Self.ownKey)
    {
      canvas.fill(place, Theme.field)
      let shape = Extent(width: picture.size.width, height: picture.size.height)
      canvas.picture(texture, in: place.fitting(shape), isMirrored: scene.state.isSelfMirrored)
    } else {
      paintAvatar(
        scene.state.ownName, in: place, above: plate,
        subtitle: isOff ? "Your camera is off" : "")
    }
    if !liesOnPicture {
      canvas.roundCorners(of: place, radius: tileRadius, Theme.background)
    }
    paintOwnPlate(in: plate)
  }

  private func paintOwnPlate(in room: Rect) {
    let isMuted = scene.state.microphone == .off
    let symbol = isMuted ? px(14) : 0
    let lead = isMuted ? symbol + px(4) : 0
    let long = "You, muted"
    let fits = measure.width(long, .caption) + lead + px(12) <= room.width
    let text = isMuted && fits ? long : "You"
    let width = min(room.width, measure.width(text, .caption) + lead + px(12))
    let plate = Rect(x: room.x, y: room.y, width: width, height: room.height)
    canvas.fill(plate, radius: px(6), Theme.scrim)
    var label = plate.inset(px(6), 0)
    if isMuted {
      canvas.icon(
        .microphoneOff,
        in: Rect(x: label.x, y: plate.midY - symbol / 2, width: symbol, height: symbol),
        Theme.text)
      label.x += lead
      label.width -= lead
    }
    canvas.text(text, .caption, in: label, Theme.text)
  }
}
