import CommandLine
import Judging
import Simulating
import Simulation
import Testing
import Units

/// A datagram or segment with its IPv4 header; checksums are what the line never looks at.
private func packet(
  from: IPAddress, to: IPAddress, payload: [UInt8], isUDP: Bool = true
) -> [UInt8] {
  let length = 28 + payload.count
  var bytes: [UInt8] = [0x45, 0, UInt8(length >> 8), UInt8(length & 255), 0, 0, 0, 0, 64]
  bytes += [isUDP ? 17 : 6, 0, 0] + from.bytes + to.bytes
  return bytes + [0x13, 0x88, 0x13, 0x88, 0, UInt8(8 + payload.count & 255), 0xAB, 0xCD] + payload
}

private func scenario(
  _ forward: LinkConditions, backward: LinkConditions = LinkConditions(),
  changes: [(at: Instant, to: LinkConditions)] = []
) -> Scenario {
  Scenario(
    name: "one flow", duration: .seconds(20), forward: ScenarioLine(forward, changes: changes),
    backward: ScenarioLine(backward),
    flows: [
      ScenarioFlow(
        name: "media", kind: .media(limit: .kilobits(2_500)), delay: .milliseconds(40),
        end: .zero + .seconds(19))
    ])
}

private func at(_ milliseconds: Int) -> Instant { .zero + .milliseconds(Int64(milliseconds)) }

extension CarriedLink {
  fileprivate func send(
    _ count: Int = 100, from source: Int, to target: Int, at now: Instant, isUDP: Bool = true
  ) {
    offer(
      packet(
        from: ends[source].address, to: ends[target].address,
        payload: [UInt8](repeating: 7, count: count), isUDP: isUDP),
      from: source, at: now)
  }
}

@Suite struct CarriedLinkTests {
  private let hub = 0
  private let left = 1
  private let right = 2

  @Test func `a packet arrives when its flow's delay has passed, and not a nanosecond sooner`() {
    let link = CarriedLink(scenario(LinkConditions(delay: .milliseconds(3))), seed: 1)
    link.send(from: left, to: right, at: at(1_000))
    #expect(link.nextDeadline == at(1_020))
    link.run(until: at(1_043) - .nanoseconds(1))
    #expect(link.takeDeliveries().isEmpty)
    #expect(link.nextDeadline == at(1_043))
    link.run(until: at(1_043))
    let arrived = link.takeDeliveries()
    #expect(arrived.map(\.end) == [right])
    #expect(arrived.first?.packet.count == 128)
    #expect(link.nextDeadline == nil)
    #expect(link.lateness == [0])
  }

  @Test func `one that was carried late is counted so, and those behind it are not later still`() {
    let link = CarriedLink(scenario(LinkConditions(rate: .kilobits(1_000))), seed: 1)
    for _ in 0..<3 { link.send(1_222, from: left, to: right, at: at(0)) }
    // 1250 bytes take 10 ms each; whoever drives it slept until 55.
    link.run(until: at(55))
    #expect(link.takeDeliveries().count == 1)
    #expect(link.lateness == [5_000])
    #expect(link.nextDeadline == at(60))
  }

  @Test func `each direction is a line of its own`() {
    let link = CarriedLink(scenario(LinkConditions(loss: 1)), seed: 1)
    for number in 0..<50 {
      link.send(from: left, to: right, at: at(number))
      link.send(from: right, to: left, at: at(number))
    }
    link.run(until: at(1_000))
    #expect(link.takeDeliveries().map(\.end) == [Int](repeating: left, count: 50))
    #expect(link.counters(.forward).lost == 50)
    #expect(link.counters(.backward).delivered == 50)
  }

  @Test func `the hub is reached at once, whatever the line does`() {
    let link = CarriedLink(
      scenario(LinkConditions(loss: 1), backward: LinkConditions().down), seed: 1)
    link.send(from: left, to: hub, at: at(5))
    link.send(from: hub, to: left, at: at(5))
    link.send(from: right, to: hub, at: at(5))
    #expect(link.takeDeliveries().map(\.end) == [hub, left, hub])
  }

  @Test func `what is sent beyond the rate waits, and is dropped beyond the queue`() {
    let narrow = LinkConditions(rate: .kilobits(1_000), queue: .milliseconds(45))
    let link = CarriedLink(scenario(narrow), seed: 1)
    for _ in 0..<20 { link.send(1_222, from: left, to: right, at: at(0)) }
    var arrivals: [Instant] = []
    for time in 0..<1_000 {
      link.run(until: at(time))
      arrivals += link.takeDeliveries().map { _ in at(time) }
    }
    // One on its way, five that wait, and the one that finds the queue not yet over its limit.
    #expect(arrivals == (1...6).map { at(40 + 10 * $0) })
    #expect(link.counters(.forward).droppedByQueue == 14)
  }

  @Test func `changes count from the beginning, whenever that is`() {
    let down = LinkConditions().down
    let link = CarriedLink(
      scenario(LinkConditions(), changes: [(at: at(2_000), to: down)]), seed: 1)
    link.send(from: left, to: right, at: at(3_000))
    link.begin(at: at(5_000))
    link.send(from: left, to: right, at: at(6_900))
    link.run(until: at(7_020))
    link.send(from: left, to: right, at: at(7_030))
    link.run(until: at(8_000))
    #expect(link.takeDeliveries().count == 2)
    #expect(link.counters(.forward).droppedByOutage == 1)
  }

  @Test func `samples tell what was sent and what arrived, ten times a second`() {
    let link = CarriedLink(scenario(LinkConditions(rate: .kilobits(1_000))), seed: 1)
    link.begin(at: at(500))
    for number in 0..<10 { link.send(1_222, from: left, to: right, at: at(500 + number * 10 + 1)) }
    link.run(until: at(700))
    let samples = link.takeSamples()
    #expect(samples.map(\.time) == [0.1, 0.2])
    // 12 500 bytes in a tenth of a second; the first ones arrive 50 ms later.
    #expect(samples.map(\.flows[0].sent) == [1_000, 0])
    #expect(samples.map(\.flows[0].received) == [500, 500])
    #expect(samples.map(\.forward.capacity) == [1_000, 1_000])
    let written = samples.compactMap {
      JSONValue(parsing: $0.json.text.utf8).flatMap(ScenarioSample.init)
    }
    #expect(written.map(\.flows[0].received) == [500, 500])
    #expect(written.map(\.forward.used) == samples.map(\.forward.used))
    #expect(link.takeSamples().isEmpty)
  }

  @Test func `corruption reaches the program in datagrams, and is a loss in TCP`() {
    var conditions = LinkConditions()
    conditions.corruption = 1
    let link = CarriedLink(scenario(conditions), seed: 1)
    link.send(from: left, to: right, at: at(0))
    link.send(from: left, to: right, at: at(0), isUDP: false)
    link.run(until: at(100))
    let arrived = link.takeDeliveries().map(\.packet)
    #expect(arrived.count == 1)
    let payload = arrived[0][28...]
    #expect(payload.reduce(0) { $0 + ($1 ^ 7).nonzeroBitCount } == 1)
    #expect(arrived[0][26...27] == [0, 0])
  }

  @Test func `what is no packet, or goes to nobody, is dropped and counted`() {
    let link = CarriedLink(scenario(LinkConditions()), seed: 1)
    link.offer([], from: left, at: at(0))
    link.offer([UInt8](repeating: 0x60, count: 60), from: left, at: at(0))
    let whole = packet(from: link.ends[1].address, to: link.ends[2].address, payload: [1, 2, 3])
    for count in 0..<whole.count { link.offer(Array(whole[..<count]), from: left, at: at(0)) }
    link.offer(
      packet(from: link.ends[1].address, to: .v4(192, 0, 2, 1), payload: [1]), from: left,
      at: at(0))
    #expect(link.strayCount == whole.count + 3)
    var random = SeededRandom(seed: 5)
    for _ in 0..<2_000 {
      var bytes = random.bytes(Int(random.next() % 80))
      if bytes.count > 20 {
        bytes[0] = 0x40 | bytes[0] & 15
        bytes.replaceSubrange(16..<20, with: link.ends[2].address.bytes)
      }
      link.offer(bytes, from: left, at: at(0))
    }
    link.run(until: at(1_000))
    #expect(link.takeDeliveries().allSatisfy { $0.end == right })
  }
}
