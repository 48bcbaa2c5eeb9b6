import CommandLine
import Judging

/// One line of a panel.
struct PlotCurve {
  enum Style {
    case line
    /// Behind the lines: what swings from one value to the next.
    case faint
    /// Filled down to zero, in steps.
    case area
  }

  /// In the legend; empty: not in it.
  var name: String
  var colour: String
  var points: [(x: Double, y: Double)]
  var style: Style

  init(
    _ name: String, _ colour: String, _ points: [(x: Double, y: Double)], style: Style = .line
  ) {
    self.name = name
    self.colour = colour
    self.points = points
    self.style = style
  }

  /// Told apart by people who don't see red and green as different, too.
  static func colour(_ index: Int) -> String {
    let colours = [
      "#0B5FA5", "#C44E00", "#00795C", "#A0327D", "#7A6400", "#3C4A9E", "#5B5B5B", "#B3261E",
    ]
    return colours[index % colours.count]
  }
}

struct PlotPanel {
  var title: String
  var unit: String
  /// The axis reaches at least so high.
  var least: Double
  var curves: [PlotCurve]

  /// What nearly all values stay below: rare peaks are cut off, and the title tells how high they
  /// are.
  var top: Double {
    let values = curves.flatMap { $0.points.map(\.y) }.sorted()
    guard let peak = values.last else { return least }
    let usual = values[(values.count - 1) * 995 / 1_000]
    return max(least, peak <= usual * 5 ? peak : usual * 3)
  }
  var peak: Double { curves.flatMap { $0.points.map(\.y) }.max() ?? 0 }
}

/// Panels above one another over the same time.
struct PlotPage {
  var title: String
  var duration: Double
  var panels: [PlotPanel]

  private static let width = 1_000.0
  private static let left = 80.0
  private static let right = 20.0
  private static let head = 40.0
  private static let panelHeight = 150.0
  private static let panelDistance = 218.0

  private var height: Double { Self.head + Self.panelDistance * Double(panels.count) + 12 }
  private var plotWidth: Double { Self.width - Self.left - Self.right }

  var svg: String {
    var lines = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(number(Self.width)) "
        + "\(number(height))\" width=\"\(number(Self.width))\" height=\"\(number(height))\" "
        + "font-family=\"sans-serif\" font-size=\"13\">",
      "<rect width=\"100%\" height=\"100%\" fill=\"#FFFFFF\"/>",
      text(title, Self.left, 24, size: 17, weight: "bold"),
    ]
    for (index, panel) in panels.enumerated() {
      lines += draw(panel, at: Self.head + Self.panelDistance * Double(index) + 26)
    }
    return (lines + ["</svg>"]).joined(separator: "\n") + "\n"
  }

  private func draw(_ panel: PlotPanel, at y: Double) -> [String] {
    let step = Self.step(for: panel.top / 4)
    let top = (panel.top / step).rounded(.up) * step
    let bottom = y + Self.panelHeight
    func across(_ time: Double) -> Double { Self.left + time / duration * plotWidth }
    func up(_ value: Double) -> Double {
      bottom - min(max(value, 0), top) / top * Self.panelHeight
    }
    let cut = panel.peak > top ? " (peak \(rounded(panel.peak.rounded())) \(panel.unit))" : ""
    var lines = [text(panel.title + cut, Self.left, y - 8, weight: "bold")]
    lines += legend(panel, at: y - 8)
    for tick in 0...Int((top / step).rounded()) {
      let value = Double(tick) * step
      lines.append(rule(Self.left, up(value), Self.width - Self.right, up(value)))
      lines.append(text(rounded(value), Self.left - 8, up(value) + 4, anchor: "end"))
    }
    lines.append(
      "<text transform=\"translate(20 \(number(y + Self.panelHeight / 2))) rotate(-90)\" "
        + "text-anchor=\"middle\" fill=\"#333333\">\(panel.unit)</text>")
    let seconds = Self.step(for: duration / 10)
    for tick in 0...Int(duration / seconds) {
      let time = Double(tick) * seconds
      lines.append(rule(across(time), y, across(time), bottom))
      lines.append(text(rounded(time), across(time), bottom + 17, anchor: "middle"))
    }
    lines.append(text("seconds", Self.width - Self.right, bottom + 31, anchor: "end"))
    for curve in panel.curves where !curve.points.isEmpty {
      lines.append(draw(curve, across, up, bottom))
    }
    lines.append(rule(Self.left, bottom, Self.width - Self.right, bottom, colour: "#333333"))
    lines.append(rule(Self.left, y, Self.left, bottom, colour: "#333333"))
    return lines
  }

  private func draw(
    _ curve: PlotCurve, _ across: (Double) -> Double, _ up: (Double) -> Double,
    _ bottom: Double
  ) -> String {
    var path = ""
    var last: (x: Double, y: Double)?
    for point in curve.points {
      let x = across(point.x)
      let y = up(point.y)
      if curve.style == .area {
        let from = last.map { across($0.x) } ?? across(point.x - 0.1)
        path += path.isEmpty ? "M\(number(from)) \(number(bottom))" : ""
        path += "L\(number(from)) \(number(y))L\(number(x)) \(number(y))"
      } else {
        // No line over a time without values.
        let joins = last.map { point.x - $0.x < 0.35 } ?? false
        path += "\(joins ? "L" : "M")\(number(x)) \(number(y))"
        if !joins { path += "h0.5" }
      }
      last = point
    }
    if curve.style == .area, let last {
      path += "L\(number(across(last.x))) \(number(bottom))Z"
      return "<path d=\"\(path)\" fill=\"#E4E4E4\" stroke=\"none\"/>"
    }
    let isFaint = curve.style == .faint
    return "<path d=\"\(path)\" fill=\"none\" "
      + "stroke=\"\(isFaint ? pale(curve.colour) : curve.colour)\" "
      + "stroke-width=\"\(isFaint ? "1" : "1.6")\" stroke-linejoin=\"round\"/>"
  }

  /// From the right, beside the title.
  private func legend(_ panel: PlotPanel, at y: Double) -> [String] {
    var lines: [String] = []
    var x = Self.width - Self.right
    for curve in panel.curves.reversed() where !curve.name.isEmpty {
      lines.append(text(curve.name, x, y, anchor: "end"))
      x -= Double(curve.name.count) * 8.4 + 8
      let fill = curve.style == .area ? "#E4E4E4" : curve.colour
      lines.append(
        "<rect x=\"\(number(x - 14))\" y=\"\(number(y - 9))\" width=\"14\" height=\"8\" "
          + "fill=\"\(fill)\"/>")
      x -= 26
    }
    return lines
  }

  private func rule(
    _ x: Double, _ y: Double, _ toX: Double, _ toY: Double, colour: String = "#DDDDDD"
  ) -> String {
    "<path d=\"M\(number(x)) \(number(y))L\(number(toX)) \(number(toY))\" stroke=\"\(colour)\"/>"
  }

  private func text(
    _ text: String, _ x: Double, _ y: Double, anchor: String = "start", size: Int = 13,
    weight: String = "normal"
  ) -> String {
    "<text x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\" "
      + "font-size=\"\(size)\" font-weight=\"\(weight)\" fill=\"#222222\">\(escaped(text))</text>"
  }

  /// 1, 2 or 5 times a power of ten, at least `rough`.
  private static func step(for rough: Double) -> Double {
    var power = 0.01
    while power * 10 <= rough { power *= 10 }
    return [1.0, 2, 5, 10].map { $0 * power }.first { $0 >= rough } ?? power * 10
  }
}

private func number(_ value: Double) -> String { rounded((value * 10).rounded() / 10) }

/// A colour `#RRGGBB`, mixed with as much white: not every viewer draws what is half transparent.
private func pale(_ colour: String) -> String {
  guard let value = Int(colour.dropFirst(), radix: 16) else { return colour }
  let mixed = [16, 8, 0].map { ((value >> $0 & 255) + 255) / 2 }
  return "#" + mixed.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

/// For XML; what no XML file may hold is left out.
private func escaped(_ text: String) -> String {
  text.unicodeScalars.reduce(into: "") { result, scalar in
    switch scalar {
    case "&": result += "&amp;"
    case "<": result += "&lt;"
    case ">": result += "&gt;"
    case _ where scalar.value < 0x20 || scalar.value == 0x7F || scalar.value >= 0xFFFE: break
    default: result.unicodeScalars.append(scalar)
    }
  }
}
