import Judging
import Media
import Simulating
import Simulation
import Units

/// What B4 to B9 run over an emulated link, and what their figures are held against.
struct LineSubject {
  var metric: String
  var scenario: String
  var isListening = false
  /// Of the whole scenario, seconds; `nil`: all of it.
  var seconds: Int?
  var size = PictureSize(width: 1280, height: 720)
  var rows: [Row]

  /// A figure, how it is written, and its bounds in that unit.
  struct Row {
    var figure: ScenarioFigure
    var name: String
    var unit: String
    var factor = 1.0
    var goal: Bound?
    var minimum: Bound?
    var anchor = ""

    static func milliseconds(
      _ figure: ScenarioFigure, _ name: String, goal: Double? = nil, minimum: Double? = nil,
      _ anchor: String = ""
    ) -> Row {
      Row(
        figure: figure, name: name, unit: "ms", goal: goal.map(Bound.atMost),
        minimum: minimum.map(Bound.atMost), anchor: anchor)
    }
    static func count(
      _ figure: ScenarioFigure, _ name: String, goal: Double? = nil, minimum: Double? = nil,
      _ anchor: String = ""
    ) -> Row {
      Row(
        figure: figure, name: name, unit: "", goal: goal.map(Bound.atMost),
        minimum: minimum.map(Bound.atMost), anchor: anchor)
    }
    static func percent(
      _ figure: ScenarioFigure, _ name: String, goal: Bound? = nil, minimum: Bound? = nil,
      _ anchor: String = ""
    ) -> Row {
      Row(
        figure: figure, name: name, unit: "%", factor: 100, goal: goal, minimum: minimum,
        anchor: anchor)
    }
  }

  static let metrics = ["B4", "B5", "B6", "B7", "B8", "B9"]

  static func all(_ metric: String) -> [LineSubject] {
    switch metric {
    case _ where metric.hasSuffix(".json"):
      [LineSubject(metric: metric, scenario: metric, rows: plain)]
    case "B4": [variableCapacity]
    case "B5": shocks
    case "B6": [fairness]
    case "B7": ["fast", "slow", "train"].map(cellular)
    case "B8": [5, 10, 20].map(pictures)
    case "B9": [10, 20].map(sound)
    default: []
    }
  }

  /// For scenarios that nothing is asked of.
  private static let plain: [Row] = [
    .milliseconds(.frameP50, "delay p50"), .milliseconds(.frameP95, "delay p95"),
    .milliseconds(.frameP99, "delay p99"), .milliseconds(.frameMax, "delay max"),
    .percent(.delivered, "delivered"), .count(.freezes, "freezes"),
    .milliseconds(.longestFreeze, "longest gap"), .percent(.utilisation, "used"),
  ]

  private static let variableCapacity = LineSubject(
    metric: "B4 RFC 8867 §5.1", scenario: "rfc8867-5.1",
    rows: [
      .percent(
        .utilisation, "used", goal: .atLeast(92), minimum: .atLeast(90), "70–80 %"),
      .milliseconds(.frameP50, "delay p50", goal: 100, minimum: 110, "222–244"),
      .milliseconds(.frameP95, "delay p95", goal: 135, minimum: 150, "347–385"),
      .milliseconds(.frameP99, "delay p99", goal: 250, "1045"),
      .milliseconds(.frameMax, "delay max", goal: 450, minimum: 500, "2230"),
      .count(.freezes, "freezes", goal: 1, "5–7"),
      .percent(.delivered, "delivered", "96 %"),
      .milliseconds(.queueP95, "link queue p95"),
    ])

  private static let shocks = [
    LineSubject(
      metric: "B5 to a quarter", scenario: "shock-drop",
      rows: [.milliseconds(.afterDrop, "under 150 ms again", goal: 600, minimum: 800)]),
    LineSubject(
      metric: "B5 10 s stall", scenario: "shock-stall",
      rows: [.milliseconds(.afterStall, "first fresh picture", goal: 140, minimum: 800)]),
    LineSubject(
      metric: "B5 four times more", scenario: "shock-rise",
      rows: [.milliseconds(.afterRise, "90 % used", goal: 1_500)]),
  ]

  /// Smaller pictures: three encoders at 720p do not fit in two cores beside the judge.
  private static let fairness = LineSubject(
    metric: "B6 RFC 8867 §5.4", scenario: "rfc8867-5.4",
    size: PictureSize(width: 640, height: 360),
    rows: [
      Row(
        figure: .jain, name: "Jain", unit: "", goal: .atLeast(0.98), minimum: .atLeast(0.95)),
      .percent(.utilisation, "used"),
      .milliseconds(.frameP95, "delay p95"),
    ])

  private static func cellular(_ name: String) -> LineSubject {
    LineSubject(
      metric: "B7 cellular, \(name)", scenario: "cellular-\(name)",
      rows: [
        .milliseconds(.frameP50, "delay p50"),
        .milliseconds(.frameP95, "delay p95", goal: 300),
        .milliseconds(.ageP95, "newest picture's age p95"),
        .milliseconds(.omniscientPictures, "the same, omniscient"),
        .milliseconds(.omniscientPackets, "of packets, omniscient"),
        Row(
          figure: .timesOmniscient, name: "age, times omniscient", unit: "×", goal: .atMost(1.5)),
        .count(.freezes, "freezes"),
        .percent(.delivered, "delivered"),
        .percent(.utilisation, "used"),
      ])
  }

  private static func pictures(_ loss: Int) -> LineSubject {
    let all: [Int: [Row]] = [
      5: [
        .milliseconds(.frameP50, "delay p50", "84–103"),
        .milliseconds(.frameP95, "delay p95", "92–118"),
        .milliseconds(.frameP99, "delay p99", goal: 65, minimum: 80, "130"),
        .count(.freezes, "freezes", goal: 0, minimum: 0, "0–1"),
        .percent(.delivered, "delivered", goal: .atLeast(99.5), "100 %"),
        .percent(.overhead, "overhead", goal: .atMost(45), "58 %"),
      ],
      10: [
        .milliseconds(.frameP50, "delay p50", "82–129"),
        .milliseconds(.frameP95, "delay p95", "113–152"),
        .milliseconds(.frameP99, "delay p99", goal: 95, minimum: 110, "168"),
        .count(.freezes, "freezes", goal: 0, "1"),
        .percent(.delivered, "delivered", "100 %"),
        .percent(.overhead, "overhead"),
      ],
      20: [
        .milliseconds(.frameP50, "delay p50", "136–143"),
        .milliseconds(.frameP95, "delay p95", "204–686"),
        .milliseconds(.frameP99, "delay p99", goal: 150, "248"),
        .count(.freezes, "freezes", "12–13"),
        .percent(
          .delivered, "delivered", goal: .atLeast(98), minimum: .atLeast(97), "99 %"),
        Row(
          figure: .media, name: "pictures", unit: "kbit/s", goal: .atLeast(1_000),
          minimum: .atLeast(1_000), anchor: "170"),
        .percent(.overhead, "overhead"),
      ],
    ]
    return LineSubject(
      metric: "B8 \(loss) % loss", scenario: "loss-\(loss)", seconds: 25, rows: all[loss] ?? [])
  }

  private static func sound(_ loss: Int) -> LineSubject {
    LineSubject(
      metric: "B9 \(loss) % loss", scenario: "loss-\(loss)", isListening: true, seconds: 25,
      rows: [
        .percent(
          .concealed, "concealed", goal: .atMost(loss == 10 ? 0.1 : 1),
          minimum: .atMost(loss == 10 ? 0.3 : 2))
      ])
  }
}

/// Runs them and makes the table.
struct LineMeasurements {
  let programs: Programs
  /// Instead of a subject's own.
  var seconds: Int?
  var transport = "udp"

  func table(_ metrics: [String]) throws(BenchError) -> BenchTable {
    var table = BenchTable(metrics.joined(separator: ", "))
    if let obstacle = EmulatedLink.obstacle {
      table.note("\(table.title): \(obstacle)")
      return table
    }
    for subject in metrics.flatMap(LineSubject.all) { try add(subject, to: &table) }
    return table
  }

  /// Pictures of its size are drawn anew, which takes a second or two.
  func run(_ subject: LineSubject) throws(BenchError) -> LineCall.Result {
    let path = try programs.scenario(subject.scenario)
    let scenario = try scenario(of: subject)
    progress("\(subject.metric): \(Int(scenario.duration.seconds)) s of \(subject.scenario)")
    return try LineCall(
      programs: programs, scenario: scenario, path: path,
      book: FrameBook.pattern(subject.size, seconds: 5), transport: transport,
      isListening: subject.isListening
    ).run()
  }

  func scenario(of subject: LineSubject) throws(BenchError) -> Scenario {
    do {
      let whole = try Scenario(readingFrom: try programs.scenario(subject.scenario))
      let wanted = seconds ?? subject.seconds
      // What changes on the way is part of the metric: only ladders are cut.
      guard let wanted, subject.seconds != nil || subject.scenario.hasSuffix(".json") else {
        return whole
      }
      return whole.shortened(to: .seconds(Double(wanted)))
    } catch { throw BenchError("\(error)") }
  }

  private func add(_ subject: LineSubject, to table: inout BenchTable) throws(BenchError) {
    let result = try run(subject)
    let figures = result.run.figures
    for row in subject.rows {
      table.add(
        BenchRow(
          subject.metric, row.name, figures[row.figure].map { $0 * row.factor }, row.unit,
          goal: row.goal, minimum: row.minimum, anchor: row.anchor))
    }
    func show(_ name: String, _ value: Double?, _ unit: String) {
      if value != nil { table.add(BenchRow(subject.metric, name, value, unit)) }
    }
    if subject.isListening {
      show("chirps heard", result.heardPercent, "%")
      show("until shown with sound p50", figures[.frameP50], "ms")
    } else {
      show("delay p99, lost pictures endless", result.run.strictPercentile(99, of: 0), "ms")
      show("luma PSNR", result.quality, "dB")
      show("luma PSNR, encoder alone", result.localQuality, "dB")
    }
    show("wire rate", result.run.wireRate(of: 0), "kbit/s")
    show("link late p99", result.lateMilliseconds, "ms")
  }
}

extension Programs {
  /// The file of a scenario of the project, or of another that is named with its path.
  func scenario(_ name: String) throws(BenchError) -> String {
    let path =
      name.hasSuffix(".json") ? name : "\(try repository(of: self))/scenarios/\(name).json"
    guard fileExists(path) else { throw BenchError("\(path) is not there; name another") }
    return path
  }
}
