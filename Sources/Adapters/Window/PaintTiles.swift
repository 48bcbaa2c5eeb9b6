import CSDL
import Media

/// The people: their pictures, and what lies over these. What a tile shows never covers another
/// part of the same tile: where there is no room for all, the less important is left out.
extension Painter {
  /// A picture that fills the screen has square corners.
  var tileRadius: Int { layout.tiles == [layout.stage] ? 0 : px(12) }

  func paint(_ peer: WindowState.Peer, in tile: Rect) {
    canvas.fill(tile, Theme.tile)
    let isChanged = peer.trust == .changed
    let plate = plate(of: peer, in: overlay(of: tile))
    let picture = isChanged || peer.isCameraOff ? nil : scene.pictures[peer.id]
    if let picture, let texture = pictures.texture(picture, of: peer.id) {
      canvas.fill(tile, Theme.field)
      let place = tile.fitting(Extent(width: picture.size.width, height: picture.size.height))
      canvas.picture(texture, in: place, dim: peer.link == .reconnecting)
    } else if !isChanged {
      paintAvatar(peer.name, in: tile, above: plate.rect, subtitle: subtitle(of: peer))
    }
    canvas.roundCorners(of: tile, radius: tileRadius, Theme.background)
    if isChanged { canvas.outline(tile, radius: tileRadius, width: px(3), Theme.red) }

    var free = notices.below(overlay(of: tile), gap: px(6))
    free.height = max(0, plate.rect.y - px(6) - free.y)
    if isChanged {
      paintChangedKey(peer, in: free)
    } else {
      if scene.interaction.showsStatistics { take(paintStatistics(peer, in: free), from: &free) }
      if peer.link == .reconnecting, picture != nil {
        take(paintReconnecting(in: free, of: tile), from: &free)
      }
      paintLines(of: peer, in: free)
    }
    paint(plate)
    explain(peer, plate: plate.rect, in: overlay(of: tile))
  }

  /// Where plates and overlays of a tile may be.
  func overlay(of tile: Rect) -> Rect {
    let bottom = min(tile.maxY, layout.clear.maxY)
    return Rect(x: tile.x, y: tile.y, width: tile.width, height: max(0, bottom - tile.y))
      .inset(px(tile.width < px(240) ? 6 : 10))
  }

  /// What was painted at the top of a free area is no longer free.
  private func take(_ painted: Rect, from free: inout Rect) {
    guard !painted.isEmpty else { return }
    let bottom = free.maxY
    free.y = max(free.y, painted.maxY + px(6))
    free.height = max(0, bottom - free.y)
  }

  private func subtitle(of peer: WindowState.Peer) -> String {
    switch peer.link {
    case .connecting: "Connecting…"
    case .reconnecting: "Reconnecting…"
    case .connected: peer.isCameraOff ? "Camera is off" : ""
    }
  }

  /// A disc with the name's first letter, for who shows no picture; above the name plate.
  func paintAvatar(_ name: String, in tile: Rect, above plate: Rect, subtitle: String) {
    let clean = TextFit.clean(name, limit: 80)
    var area = tile.inset(px(4))
    if !plate.isEmpty, tile.height < px(260) { area.height = max(0, plate.y - area.y) }
    let side = min(min(tile.width, tile.height) * 2 / 5, area.height)
    guard side >= px(14) else { return }
    let subtitleHeight = measure.lineHeight(.body)
    let showsSubtitle = !subtitle.isEmpty && area.height >= side + subtitleHeight + px(20)
    let disc = Rect(
      x: tile.midX - side / 2,
      y: area.midY - side / 2 - (showsSubtitle ? (subtitleHeight + px(8)) / 2 : 0),
      width: side, height: side)
    let hash = clean.unicodeScalars.reduce(UInt32(2_166_136_261)) {
      ($0 ^ $1.value) &* 16_777_619
    }
    let color = Theme.avatars[Int(hash >> 8) % Theme.avatars.count]
    canvas.fill(disc, radius: side / 2, color)
    let letter = clean.first { !$0.isWhitespace }.map { String($0).uppercased() } ?? ""
    let style: TextStyle =
      side >= px(96) ? .initialLarge : side >= px(40) ? .initial : .caption
    if letter.isEmpty || measure.width(letter, style) > side {
      canvas.icon(.person, in: disc.inset(side / 4), Theme.text)
    } else {
      canvas.text(letter, style, in: disc, Theme.text, align: .center)
    }
    guard showsSubtitle else { return }
    let line = Rect(
      x: tile.x + px(8), y: disc.maxY + px(8), width: tile.width - px(16),
      height: subtitleHeight)
    canvas.text(subtitle, .body, in: line, Theme.secondary, align: .center)
  }

  /// As much of the explanation as fits whole.
  private func paintChangedKey(_ peer: WindowState.Peer, in free: Rect) {
    let name = TextFit.clean(peer.name, limit: 40)
    let width = min(free.width - px(12), px(420))
    let side = min(px(30), free.height)
    let room = max(0, (free.height - side - px(10)) / measure.lineHeight(.body))
    let texts = [
      "This is not the key that \(name) had before. It may be a new computer, or someone who "
        + "poses as \(name). Nothing is sent to them.",
      "Not the key that \(name) had before. Nothing is sent to them.",
      "Nothing is sent to them.",
    ]
    let fitting = texts.lazy.map { TextFit.lines($0, to: width, .body, measure) }
      .first { $0.count <= room }
    let lines = fitting ?? []
    let height = side + (lines.isEmpty ? 0 : px(10)) + lines.count * measure.lineHeight(.body)
    var y = free.y + max(0, (free.height - height) / 2)
    canvas.icon(
      .warning, in: Rect(x: free.midX - side / 2, y: y, width: side, height: side), Theme.red)
    y += side + px(10)
    for line in lines {
      let rect = Rect(
        x: free.midX - width / 2, y: y, width: width, height: measure.lineHeight(.body))
      canvas.text(line, .body, in: rect, Theme.text, align: .center)
      y = rect.maxY
    }
  }

  /// In the tile's middle where that is free, else as high as is.
  private func paintReconnecting(in free: Rect, of tile: Rect) -> Rect {
    let text = "Reconnecting…"
    let isLarge = free.width >= px(200)
    let style: TextStyle = isLarge ? .heading : .strong
    let height = px(isLarge ? 40 : 28)
    guard free.height >= height, free.width >= px(60) else { return .zero }
    let width = min(measure.width(text, style) + px(isLarge ? 36 : 16), free.width)
    let y = min(max(tile.midY - height / 2, free.y), free.maxY - height)
    let rect = Rect(x: free.midX - width / 2, y: y, width: width, height: height)
    canvas.fill(rect, radius: height / 2, Theme.scrim)
    canvas.text(text, style, in: rect, Theme.amber, align: .center)
    return rect
  }

  /// Statistics as far as there is room for whole lines. Returns its place.
  private func paintStatistics(_ peer: WindowState.Peer, in free: Rect) -> Rect {
    let rowHeight = measure.lineHeight(.caption)
    let pad = px(free.height < px(160) ? 6 : 10)
    let path: [WindowState.Statistic] =
      peer.pathText.isEmpty ? [] : [.init("Path", TextFit.clean(peer.pathText))]
    let rows = (path + peer.statistics).prefix(max(0, (free.height - 2 * pad) / rowHeight))
    guard !rows.isEmpty, free.width >= px(100) else { return .zero }
    let gap = px(14)
    let labels = rows.map { measure.width($0.label, .caption) }.max() ?? 0
    let values = rows.map { measure.width($0.value, .caption) }.max() ?? 0
    let width = min(free.width, labels + gap + values + 2 * pad)
    let box = Rect(
      x: free.x, y: free.y, width: width, height: rows.count * rowHeight + 2 * pad)
    canvas.fill(box, radius: px(8), Theme.scrim)
    let labelWidth = min(labels, max((width - 2 * pad) / 2, width - 2 * pad - gap - values))
    for (row, statistic) in rows.enumerated() {
      let line = Rect(
        x: box.x + pad, y: box.y + pad + row * rowHeight, width: width - 2 * pad,
        height: rowHeight)
      var label = line
      label.width = labelWidth
      canvas.text(statistic.label, .caption, in: label, Theme.secondary)
      let start = labelWidth + gap
      let value = Rect(
        x: line.x + start, y: line.y, width: max(0, line.width - start), height: rowHeight)
      canvas.text(statistic.value, .caption, in: value, Theme.text)
    }
    return box
  }

  /// What this person wrote, above the name, for a while; newest at the bottom.
  private func paintLines(of peer: WindowState.Peer, in free: Rect) {
    guard free.width >= px(90) else { return }
    var bottom = free.maxY
    for line in scene.passing.lines.reversed() where line.peer == peer.id {
      let most = min(free.width, px(420)) - px(22)
      let lines = TextFit.lines(TextFit.clean(line.text), to: most, .body, measure, limit: 3)
      let height = lines.count * measure.lineHeight(.body) + px(12)
      guard bottom - height >= free.y else { return }
      let width = (lines.map { measure.width($0, .body) }.max() ?? 0) + px(22)
      let box = Rect(x: free.x, y: bottom - height, width: width, height: height)
      let opacity = line.opacity(at: scene.now)
      canvas.fill(box, radius: px(12), Theme.raised.opacity(opacity))
      canvas.lines(lines, .body, in: box.inset(px(11), px(6)), Theme.text.opacity(opacity))
      bottom = box.y - px(6)
    }
  }
}
