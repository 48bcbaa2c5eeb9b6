import Judging
import Testing

@Suite struct BenchTableTests {
  @Test func `a row stands where its figure is between goal and minimum`() {
    func standing(_ seen: Double?, goal: Bound? = nil, minimum: Bound? = nil) -> BenchRow.Standing {
      BenchRow("B4", "used", seen, "%", goal: goal, minimum: minimum).standing
    }
    #expect(standing(93, goal: .atLeast(92), minimum: .atLeast(90)) == .goal)
    #expect(standing(92, goal: .atLeast(92), minimum: .atLeast(90)) == .goal)
    #expect(standing(91, goal: .atLeast(92), minimum: .atLeast(90)) == .minimum)
    #expect(standing(89, goal: .atLeast(92), minimum: .atLeast(90)) == .failed)
    #expect(standing(140, goal: .atMost(135)) == .missed)
    #expect(standing(140, minimum: .atMost(150)) == .minimum)
    #expect(standing(.infinity, minimum: .atMost(150)) == .failed)
    #expect(standing(140) == .shown)
    // What could not be measured keeps no minimum.
    #expect(standing(nil, goal: .atMost(135), minimum: .atMost(150)) == .failed)
    #expect(standing(nil, goal: .atMost(135)) == .missed)
  }

  @Test func `a table is met when no minimum is missed, and an empty one never`() {
    var table = BenchTable("table")
    #expect(!table.isMet)
    table.add(BenchRow("B4", "p50", 140, "ms", goal: .atMost(100)))
    #expect(table.isMet)
    table.add(BenchRow("B4", "p95", 160, "ms", goal: .atMost(135), minimum: .atMost(150)))
    #expect(!table.isMet)
  }

  @Test func `a report's limits become minimums, its goals goals of the same row`() {
    var report = Report("B1 udp")
    report.add(
      "ann → bob",
      [
        .atMost("delay p50", 15, "ms", seen: 12),
        .goal("delay p50", 7, "ms", seen: 12),
        .atLeast("delivered", 98, "%", seen: 100),
        .shown("rate", "kbit/s", seen: 2_000),
      ])
    var table = BenchTable("table")
    table.add(report, anchors: ["delay p50": "47–52"])
    #expect(
      table.rows == [
        BenchRow(
          "B1 udp ann → bob", "delay p50", 12, "ms", goal: .atMost(7), minimum: .atMost(15),
          anchor: "47–52"),
        BenchRow("B1 udp ann → bob", "delivered", 100, "%", minimum: .atLeast(98)),
        BenchRow("B1 udp ann → bob", "rate", 2_000, "kbit/s"),
      ])
  }

  @Test func `the text has a row a figure and says what was not measured`() {
    var table = BenchTable("B4")
    table.add(
      BenchRow(
        "B4", "delay p50", 105.5, "ms", goal: .atMost(100), minimum: .atMost(110),
        anchor: "222–244"))
    table.add(BenchRow("B4", "freezes", 0, ""))
    table.note("B5: an emulated link needs root")
    #expect(
      table.text == """
        B4
            figure     seen      goal   minimum  peer     stands
        B4  delay p50  105.5 ms  ≤ 100  ≤ 110    222–244  minimum kept
            freezes    0
        not measured: B5: an emulated link needs root

        """)
    let value = JSONValue(parsing: table.json.utf8)
    guard case .array(let rows)? = value?["rows"] else {
      Issue.record("no rows in \(table.json)")
      return
    }
    #expect(rows.count == 2)
    #expect(rows[0]["seen"]?.number == 105.5)
    #expect(rows[0]["goal"]?.string == "≤ 100")
    #expect(rows[0]["stands"]?.string == "minimum kept")
  }
}
