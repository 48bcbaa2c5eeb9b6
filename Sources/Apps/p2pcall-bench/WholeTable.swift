import Judging
import Simulating
import Simulation

/// All rows of the benchmarks that these programs can measure, one after another.
struct WholeTable {
  let measurements: Measurements
  let lines: LineMeasurements

  /// What Chromium was measured at on this kind of machine (issue 3, BENCHMARKS).
  private static let delays = ["delay p50": "47–52", "delay p95": "63–78", "delay p99": "78–90"]
  private static let joins = ["who joins, p50": "142–311"]
  private static let processor = ["endpoint": "47–60"]
  private static let memory = ["PSS, highest": "823–996"]

  func run() throws(BenchError) -> BenchTable {
    var table = BenchTable("Benchmarks")
    for transport in ["udp", "tcp"] {
      table.add(try measurements.delay(transport: transport), anchors: Self.delays)
    }
    table.add(try measurements.sound(transport: "udp"))
    for transport in ["udp", "tcp"] {
      table.add(try measurements.firstPicture(transport: transport), anchors: Self.joins)
    }
    table.add(try lines.table(LineSubject.metrics))
    table.add(try measurements.processorTime(), anchors: Self.processor)
    table.add(try measurements.memory(), anchors: Self.memory)
    table.add(try PacketPath.measure())
    table.add(try measurements.mesh())
    table.note("B13, the rendezvous under load, is not a matter of the media engine")
    return table
  }
}
