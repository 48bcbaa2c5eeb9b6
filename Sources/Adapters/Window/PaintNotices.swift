/// Notices at the top of the stage for a while. Their places are found first, so that what
/// tiles show in their corners keeps clear of them.
struct NoticePlaces {
  struct Place {
    var notice: PassingTexts.Passing
    var lines: [String]
    var style: TextStyle
    var rect: Rect
  }

  var places: [Place] = []

  /// The newest nearest to the top; where there is little room one only, a warning first.
  init(_ notices: [PassingTexts.Passing], in stage: Rect, _ measure: TextMeasure) {
    let area = stage.inset(measure.px(12), measure.px(12))
    guard area.width >= measure.px(120), area.height >= measure.px(80) else { return }
    let isSmall = area.height < measure.px(320)
    let most = isSmall ? 1 : 2
    let style: TextStyle = isSmall ? .caption : .body
    var y = area.y
    let newest = notices.reversed()
    let warnings = newest.filter(\.isWarning)
    for notice in (isSmall && !warnings.isEmpty ? warnings : Array(newest)).prefix(most) {
      let lead = measure.px(notice.isWarning ? 28 : 0)
      let sides = measure.px(28) + lead
      let lines = TextFit.lines(
        TextFit.clean(notice.text), to: min(area.width, measure.px(560)) - sides, style, measure,
        limit: isSmall ? 1 : 3)
      let widest = lines.map { measure.width($0, style) }.max() ?? 0
      let width = min(area.width, widest + sides)
      let rect = Rect(
        x: area.midX - width / 2, y: y, width: width,
        height: lines.count * measure.lineHeight(style) + measure.px(isSmall ? 8 : 16))
      places.append(Place(notice: notice, lines: lines, style: style, rect: rect))
      y = rect.maxY + measure.px(8)
    }
  }

  /// `rect` without the part at its top that notices cover.
  func below(_ rect: Rect, gap: Int) -> Rect {
    var rest = rect
    for place in places where place.rect.intersects(rest) && place.rect.maxY < rect.maxY {
      let bottom = rest.maxY
      rest.y = place.rect.maxY + gap
      rest.height = max(0, bottom - rest.y)
    }
    return rest
  }
}

extension Painter {
  func paintNotices() {
    for place in notices.places {
      let opacity = place.notice.opacity(at: scene.now)
      let isWarning = place.notice.isWarning
      canvas.fill(place.rect, radius: px(10), Theme.pressed.opacity(opacity))
      canvas.outline(
        place.rect, radius: px(10), width: max(1, px(1)),
        (isWarning ? Theme.amber : Theme.outline).opacity(opacity))
      var text = place.rect.inset(px(14), px(place.style == .body ? 8 : 4))
      if isWarning {
        let side = px(18)
        let icon = Rect(x: text.x, y: place.rect.midY - side / 2, width: side, height: side)
        canvas.icon(.warning, in: icon, Theme.amber.opacity(opacity))
        text.x += px(28)
        text.width -= px(28)
      }
      canvas.lines(place.lines, place.style, in: text, Theme.text.opacity(opacity))
    }
  }
}
