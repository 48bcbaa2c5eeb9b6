import Links
import Simulation
import Testing
import Units

/// Datagrams from one computer to another whose line does something to them.
private final class OneWay {
  let world: World
  let source: SimulatedHost
  private let sink: SimulatedHost
  private let network: SimulatedNetwork
  private let target: SocketAddress
  private let socket: SocketID
  private(set) var arrivals: [(number: Int, at: Instant)] = []

  init(_ conditions: LinkConditions, seed: UInt64 = 1) {
    world = World(seed: seed)
    network = SimulatedNetwork(world)
    source = network.addHost(
      "source", line: AccessLine(name: "line", up: conditions, down: LinkConditions()))
    sink = network.addHost("sink", line: AccessLine(name: "none", both: LinkConditions()))
    target = SocketAddress(sink.addresses[0], port: sink.bindDatagram().port)
    socket = source.bindDatagram().0
    sink.program = { [unowned self] in
      guard case .datagram(let bytes, _, _) = $0 else { return }
      arrivals.append((bytes[0...2].reduce(0) { $0 << 8 | Int($1) }, world.now))
    }
  }

  func send(_ count: Int, bytes: Int = 100, every interval: Interval) {
    var number = 0
    world.repeat(every: interval) { [unowned self] in
      let digits = [number >> 16, number >> 8, number].map { UInt8($0 & 255) }
      let filler = [UInt8](repeating: 0, count: bytes - 3)
      source.transmit(digits + filler, to: target, from: socket)
      number += 1
      return number < count
    }
  }

  /// Which of `count` never came, once everything came that could.
  func missing(of count: Int) -> [Int] {
    let here = Set(arrivals.map(\.number))
    return (0..<count).filter { !here.contains($0) }
  }
}

@Suite struct LinkModelTests {
  @Test func `bursts lose their share, in runs of their length`() {
    var conditions = LinkConditions()
    conditions.burst = BurstLoss(toBad: 0.01, toGood: 0.2)
    let way = OneWay(conditions)
    way.send(100_000, bytes: 20, every: .milliseconds(1))
    way.world.run(for: .seconds(110))
    let missing = way.missing(of: 100_000)
    // p / (p + r) is 4.76 %; over some 950 bursts of 5 its standard deviation is near 0.2 %.
    #expect((4_100...5_400).contains(missing.count))
    let runs = zip(missing, missing.dropFirst()).count { $1 != $0 + 1 } + 1
    let mean = Double(missing.count) / Double(runs)
    #expect((4.5...5.5).contains(mean))
    #expect(way.source.upCounters.lost == missing.count)
  }

  @Test func `both states of a burst lose with their own probability`() {
    let burst = BurstLoss(toBad: 0.02, toGood: 0.1, lossWhenGood: 0.01, lossWhenBad: 0.5)
    #expect(abs(burst.averageLoss - (0.5 / 6 + 0.01 * 5 / 6)) < 1e-12)
    var conditions = LinkConditions()
    conditions.burst = burst
    let way = OneWay(conditions)
    way.send(50_000, bytes: 20, every: .milliseconds(1))
    way.world.run(for: .seconds(60))
    let share = Double(way.missing(of: 50_000).count) / 50_000
    #expect(abs(share - burst.averageLoss) < 0.012)
  }

  @Test func `bursts leave every other draw alone`() {
    func others(_ burst: BurstLoss?) -> (reordered: Int, corrupted: Int, jitter: [Int]) {
      var conditions = LinkConditions(delay: .milliseconds(5), jitter: .milliseconds(20))
      conditions.reordering = 0.1
      conditions.jitterReorders = true
      conditions.burst = burst
      let way = OneWay(conditions)
      way.send(2_000, bytes: 20, every: .milliseconds(50))
      way.world.run(for: .seconds(110))
      // How late each came that came in both runs.
      var delays = [Int](repeating: -1, count: 2_000)
      for (number, at) in way.arrivals {
        delays[number] = Int((at - .zero).microseconds) - number * 50_000
      }
      return (way.source.upCounters.reordered, way.source.upCounters.corrupted, delays)
    }
    let without = others(nil)
    let with = others(BurstLoss(toBad: 0.05, toGood: 0.3))
    let both = with.jitter.indices.filter { with.jitter[$0] >= 0 }
    #expect(both.count < 1_900 && both.count > 1_500)
    #expect(both.allSatisfy { with.jitter[$0] == without.jitter[$0] })
  }

  @Test func `a trace lets 1 500 bytes pass at each of its instants, over and over`() throws {
    var conditions = LinkConditions(queue: .seconds(10))
    conditions.trace = try DeliveryTrace(parsing: Array("5\n5\n12\n20\n".utf8))
    let way = OneWay(conditions)
    // 1 472 bytes and 28 of headers fill one opportunity.
    way.send(10, bytes: 1_472, every: .zero)
    way.world.run(for: .seconds(1))
    let times = way.arrivals.map { Int(($0.at - .zero).milliseconds) }
    #expect(times == [5, 5, 12, 20, 25, 25, 32, 40, 45, 45])
  }

  @Test func `small packets share an opportunity, large ones take two, unused ones are lost`()
    throws
  {
    func times(_ count: Int, bytes: Int, after: Interval = .zero) throws -> [Int] {
      var conditions = LinkConditions(queue: .seconds(10))
      conditions.trace = try DeliveryTrace(instants: [10, 20, 30])
      let way = OneWay(conditions)
      way.world.schedule(after: after) { way.send(count, bytes: bytes, every: .zero) }
      way.world.run(for: .seconds(1))
      return way.arrivals.map { Int(($0.at - .zero).milliseconds) }
    }
    // Three of 500 on the wire each, then one that begins the next opportunity.
    #expect(try times(4, bytes: 472) == [10, 10, 10, 20])
    // 2 000 on the wire: one and a third.
    #expect(try times(3, bytes: 1_972) == [20, 30, 40])
    #expect(try times(1, bytes: 472, after: .milliseconds(25)) == [30])
  }

  @Test func `a trace drops at its tail what waits longer than its queue at the average rate`()
    throws
  {
    // One opportunity each 10 ms is 1.2 Mbit/s: 100 ms are 15 000 bytes.
    var conditions = LinkConditions(queue: .milliseconds(100))
    conditions.trace = try DeliveryTrace(instants: [10])
    #expect(conditions.averageRate == .kilobits(1_200))
    let way = OneWay(conditions)
    way.send(30, bytes: 1_472, every: .zero)
    way.world.run(for: .seconds(2))
    #expect((10...12).contains(way.arrivals.count))
    #expect(way.source.upCounters.droppedByQueue == 30 - way.arrivals.count)
  }

  @Test func `files that are no trace are refused with the line`() {
    func problem(_ text: String) -> DeliveryTrace.Problem? {
      do {
        _ = try DeliveryTrace(parsing: Array(text.utf8))
        return nil
      } catch { return error }
    }
    #expect(problem("") == .empty)
    #expect(problem("0\n") == .empty)
    #expect(problem("5\n4\n") == .falling(line: 2))
    #expect(problem("5\n-6\n") == .notANumber(line: 2))
    #expect(problem("5\n6.5\n") == .notANumber(line: 2))
    #expect(problem("99999999999\n") == .notANumber(line: 1))
    #expect(problem("5\r\n7\r\n") == nil)
  }

  @Test func `a cellular trace is its seed's, has its average and survives its own file`() throws {
    var plan = CellularTrace(seed: 3, average: .kilobits(3_000))
    plan.outagesAMinute = 0
    let trace = try plan.trace()
    #expect(try plan.trace() == trace)
    #expect(try DeliveryTrace(parsing: Array(trace.text.utf8)) == trace)
    plan.seed = 4
    #expect(try plan.trace() != trace)
    var rates: [Double] = []
    for seed in 1...20 {
      plan.seed = UInt64(seed)
      rates.append(try plan.trace().averageRate.kilobitsPerSecond)
    }
    let mean = rates.reduce(0, +) / 20
    #expect((2_600...3_400).contains(mean))
  }
}
