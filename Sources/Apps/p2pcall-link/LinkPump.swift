import CLinux
import CommandLine
import Runtime
import Simulating
import Simulation
import Units

/// Real packets through a scenario's line, by the real clock.
final class LinkPump {
  private let scenario: Scenario
  private let link: CarriedLink
  private let networks: [NetworkEnd]
  private let loop: EventLoop
  private let origin: Instant
  private var command: [UInt8] = []
  private var isOver = false

  /// So many of one end's packets before the others have their turn.
  private static let burst = 64

  init(_ scenario: Scenario, seed: UInt64) throws(SystemError) {
    self.scenario = scenario
    link = CarriedLink(scenario, seed: seed)
    networks = try NetworkEnd.make(link.ends.map(\.address))
    loop = try EventLoop()
    origin = loop.now
  }

  func run() throws(SystemError) {
    for (index, network) in networks.enumerated() {
      _ = try loop.watch(network.deviceDescriptor, for: .readable) { [unowned self] _ in
        for _ in 0..<Self.burst {
          guard let packet = network.receive() else { break }
          link.offer(packet, from: index, at: linkTime(Clock.now))
        }
      }
    }
    _ = try loop.watch(0, for: .readable) { [unowned self] _ in listen() }
    announce()
    while !isOver {
      loop.turn(until: link.nextDeadline.map { origin + ($0 - .zero) })
      link.run(until: linkTime(loop.now))
      for delivery in link.takeDeliveries() { networks[delivery.end].send(delivery.packet) }
      for sample in link.takeSamples() { tell("sample") { $0.add("sample", sample.json) } }
    }
    sayEnd()
  }

  /// The link's own time begins with zero.
  private func linkTime(_ now: Instant) -> Instant { .zero + (now - origin) }

  private func listen() {
    var chunk = [UInt8](repeating: 0, count: 256)
    let count = read(0, &chunk, chunk.count)
    guard count > 0 else {
      isOver = true
      return
    }
    for byte in chunk[..<count] {
      guard byte == UInt8(ascii: "\n") else {
        if command.count < 32 { command.append(byte) }
        continue
      }
      switch String(decoding: command, as: UTF8.self) {
      case "start":
        let now = Clock.now
        link.begin(at: linkTime(now))
        tell("started") { $0.add("clock_us", Int(now.nanoseconds / 1_000)) }
      case "stop": isOver = true
      default: break
      }
      command.removeAll()
    }
  }

  // MARK: What it says

  private func tell(_ event: String, _ fill: (inout JSONObject) -> Void) {
    var object = JSONObject()
    object.add("event", event)
    fill(&object)
    TextOutput.standardOutput.write(line: object.text)
  }

  private func announce() {
    tell("ready") { object in
      object.add("hub", place(0))
      object.add(
        "flows",
        scenario.flows.enumerated().map { index, flow in
          var object = JSONObject()
          object.add("name", flow.name)
          object.add("source", flow.direction == .forward ? "left" : "right")
          object.add("left", place(1 + 2 * index))
          object.add("right", place(2 + 2 * index))
          return object
        })
    }
  }

  private func place(_ end: Int) -> JSONObject {
    var object = JSONObject()
    object.add("address", "\(link.ends[end].address)")
    object.add("network", networks[end].path)
    return object
  }

  private func sayEnd() {
    let late = link.lateness.sorted()
    func lateness(_ part: Double) -> Int {
      late.isEmpty ? 0 : Int(late[Int(Double(late.count - 1) * part)])
    }
    tell("ended") { object in
      object.add("forward", json(link.counters(.forward)))
      object.add("backward", json(link.counters(.backward)))
      object.add("strays", link.strayCount)
      object.add("late_us_p50", lateness(0.5))
      object.add("late_us_p99", lateness(0.99))
      object.add("late_us_max", lateness(1))
    }
  }

  private func json(_ counters: LineCounters) -> JSONObject {
    var object = JSONObject()
    object.add("offered", counters.offered)
    object.add("delivered", counters.delivered)
    object.add("lost", counters.lost)
    object.add("dropped_by_queue", counters.droppedByQueue)
    object.add("dropped_by_outage", counters.droppedByOutage)
    object.add("sent_bytes", counters.sentBytes.bytes)
    object.add("queue_ms_p50", counters.waits.percentile(0.5).milliseconds)
    object.add("queue_ms_p95", counters.waits.percentile(0.95).milliseconds)
    return object
  }
}
