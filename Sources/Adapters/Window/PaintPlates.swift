/// Name plates: who it is, whether the key is trusted, and whether one would be heard.
extension Painter {
  /// A plate's parts, placed; parts that have no room are `nil`.
  struct Plate {
    var rect = Rect.zero
    var name = ""
    var nameRect = Rect.zero
    var badge: Badge?
    var badgeRect = Rect.zero
    var showsBadgeText = false
    var microphone: Rect?
  }

  /// Bottom left of a tile, clear of the self-view.
  func plate(of peer: WindowState.Peer, in inside: Rect) -> Plate {
    var plate = Plate()
    let height = px(inside.height < px(90) ? 24 : 30)
    guard inside.height >= height, inside.width >= px(40) else {
      plate.rect = Rect(x: inside.x, y: inside.maxY, width: 0, height: 0)
      return plate
    }
    let isNarrow = inside.width < px(130)
    let pad = px(isNarrow ? 6 : 9)
    let gap = px(isNarrow ? 4 : 7)
    let y = inside.maxY - height
    var most = inside.width
    if let selfView = layout.selfView, !layout.isSelfTile, selfView.maxY > y {
      most = max(px(60), min(most, selfView.x - inside.x - gap))
    }
    plate.name = Self.shownName(peer)
    plate.badge = peer.trust.map(badge)
    let nameWidth = measure.width(plate.name, .strong)
    let textWidth = plate.badge.map { measure.width($0.text, .caption) + px(16) } ?? 0
    let symbol = px(16)
    var room = most - 2 * pad
    if peer.isMuted { room -= symbol + gap }
    plate.showsBadgeText = textWidth > 0 && room - textWidth - gap >= min(nameWidth, px(70))
    let badgeWidth = plate.badge == nil ? 0 : plate.showsBadgeText ? textWidth : symbol
    if plate.badge != nil { room -= badgeWidth + gap }
    let shown = max(0, min(nameWidth, room))

    var x = inside.x + pad
    if peer.isMuted {
      plate.microphone = Rect(x: x, y: y + (height - symbol) / 2, width: symbol, height: symbol)
      x += symbol + gap
    }
    plate.nameRect = Rect(x: x, y: y, width: shown, height: height)
    x += shown
    if plate.badge != nil {
      let side = plate.showsBadgeText ? px(20) : symbol
      plate.badgeRect = Rect(
        x: x + gap, y: y + (height - side) / 2, width: badgeWidth, height: side)
      x = plate.badgeRect.maxX
    }
    plate.rect = Rect(x: inside.x, y: y, width: min(most, x + pad - inside.x), height: height)
    return plate
  }

  /// A name is known when the peer is proved.
  static func shownName(_ peer: WindowState.Peer) -> String {
    let name = TextFit.clean(peer.name, limit: 80)
    return name.allSatisfy(\.isWhitespace) ? "Somebody" : name
  }

  func paint(_ plate: Plate) {
    guard !plate.rect.isEmpty else { return }
    canvas.fill(plate.rect, radius: px(8), Theme.scrim)
    if let microphone = plate.microphone {
      canvas.icon(.microphoneOff, in: microphone, Theme.text)
    }
    canvas.text(plate.name, .strong, in: plate.nameRect, Theme.text)
    guard let badge = plate.badge else { return }
    if plate.showsBadgeText {
      canvas.fill(plate.badgeRect, radius: px(10), badge.fill)
      canvas.text(badge.text, .caption, in: plate.badgeRect, badge.ink, align: .center)
    } else {
      canvas.icon(badge.icon, in: plate.badgeRect, badge.color)
    }
  }

  /// How a trust state is shown.
  struct Badge {
    var text: String
    var icon: Icon
    var fill: Color
    var ink: Color
    /// Of the icon alone, where there is no room for the word.
    var color: Color
    var explanation: String
  }

  func badge(_ trust: WindowState.Trust) -> Badge {
    switch trust {
    case .new:
      Badge(
        text: "new", icon: .person, fill: Theme.amber, ink: Theme.ink, color: Theme.amber,
        explanation: "First call with this key: from now on this computer recognises it.")
    case .known:
      Badge(
        text: "known", icon: .check, fill: Theme.raised, ink: Theme.text,
        color: Theme.secondary, explanation: "The same key as in your earlier calls.")
    case .verified:
      Badge(
        text: "verified", icon: .shield, fill: Theme.green, ink: Theme.ink, color: Theme.green,
        explanation: "You compared the check words with this person.")
    case .changed:
      Badge(
        text: "KEY CHANGED", icon: .warning, fill: Theme.red, ink: Theme.text, color: Theme.red,
        explanation: "Not the key that this name had before.")
    }
  }

  /// What the trust word means, while the plate is pointed at.
  func explain(_ peer: WindowState.Peer, plate: Rect, in inside: Rect) {
    guard let pointer = scene.interaction.pointer, plate.contains(pointer),
      layout.control(at: pointer) == nil
    else { return }
    var texts = [Self.shownName(peer)]
    if let trust = peer.trust { texts.append(badge(trust).explanation) }
    if !peer.pathText.isEmpty { texts.append("Connection: " + TextFit.clean(peer.pathText)) }
    let width = min(inside.width, px(380))
    let lines = texts.flatMap { TextFit.lines($0, to: width - px(20), .caption, measure) }
    let widest = lines.map { measure.width($0, .caption) }.max() ?? 0
    let height = lines.count * measure.lineHeight(.caption) + px(14)
    let box = Rect(
      x: plate.x, y: max(inside.y, plate.y - px(6) - height), width: widest + px(20),
      height: height)
    canvas.fill(box.inset(-px(1)), radius: px(9), Theme.outline)
    canvas.fill(box, radius: px(8), Theme.ink)
    canvas.lines(lines, .caption, in: box.inset(px(10), px(7)), Theme.text)
  }
}
