package import Units

/// A scenario's bottleneck for real packets: the very lines of the simulation, moved on by whoever
/// has a real clock.
///
/// Each flow has an end on the left and one on the right, behind access lines that only delay. A hub,
/// such as the rendezvous, is reached by all of them at once and without loss. Feed it packets, run it
/// to the present, take what has arrived, sleep until `nextDeadline`.
package final class CarriedLink {
  package struct End: Hashable, Sendable {
    package var address: IPAddress
    /// `nil`: the hub.
    package var side: Bottleneck.Side?
    /// Its place in the scenario.
    package var flow: Int?
    /// From here to the bottleneck and back, one way.
    var delay = Interval.zero
  }
  package struct Delivery: Hashable, Sendable {
    /// Its place in `ends`.
    package var end: Int
    package var packet: [UInt8]
  }

  /// The hub, then each flow's left and right end.
  package let ends: [End]
  /// Packets that were no IPv4, or went to nobody.
  package private(set) var strayCount = 0
  /// How much later than due the packets were delivered, in microseconds.
  package private(set) var lateness: [Int32] = []

  private let scenario: Scenario
  private let world: World
  private var lines: Bottleneck?
  private var meter: ScenarioMeter?
  private var begun: Instant?
  private var present = Instant.zero
  private var deliveries: [Delivery] = []
  private var samples: [ScenarioSample] = []
  private var sent: [ByteCount]
  private var received: [ByteCount]

  /// 10.77.0.0/16: the hub is 0.1, flow number n 1.n and 2.n.
  package init(_ scenario: Scenario, seed: UInt64) {
    self.scenario = scenario
    world = World(seed: seed)
    sent = scenario.flows.map { _ in .zero }
    received = sent
    var ends = [End(address: .v4(10, 77, 0, 1))]
    for (index, flow) in scenario.flows.enumerated() {
      for (network, side) in [(UInt8(1), Bottleneck.Side.left), (2, .right)] {
        ends.append(
          End(
            address: .v4(10, 77, network, UInt8(index + 1)), side: side, flow: index,
            delay: flow.delay / 2))
      }
    }
    self.ends = ends
    let lines = Bottleneck(
      forward: Line(world, scenario.forward.first) { [unowned self] in passed($0) },
      backward: Line(world, scenario.backward.first) { [unowned self] in passed($0) })
    self.lines = lines
    meter = ScenarioMeter(bottleneck: lines)
  }

  /// The scenario's clock starts; until then its first conditions hold.
  package func begin(at now: Instant) {
    run(until: now)
    guard begun == nil, let lines else { return }
    let start = world.now
    begun = start
    for (direction, line) in [
      (Bottleneck.Direction.forward, scenario.forward), (.backward, scenario.backward),
    ] {
      lines.line(direction).counters.beginMeasurement(at: start)
      if line.first.trace != nil {
        // A trace begins with the scenario.
        lines.set(direction, LinkConditions())
        lines.set(direction, line.first)
      }
      for (at, conditions) in line.changes {
        world.schedule(at: start + (at - .zero)) { lines.set(direction, conditions) }
      }
    }
    // After what changes at the same instants.
    world.schedule(at: start) { [unowned self] in
      world.repeat(every: ScenarioMeter.interval) { [unowned self] in
        sample(since: start)
        return world.now - start < scenario.duration
      }
    }
  }

  package func offer(_ bytes: [UInt8], from source: Int, at now: Instant) {
    run(until: now)
    guard let packet = CarriedPacket(bytes),
      let target = ends.firstIndex(where: { $0.address == packet.target }), target != source
    else {
      strayCount += 1
      return
    }
    guard let side = ends[source].side, let other = ends[target].side, side != other, let lines
    else {
      deliveries.append(Delivery(end: target, packet: bytes))
      return
    }
    if let flow = ends[source].flow, side == sourceSide(of: flow) {
      sent[flow] += ByteCount(bytes.count)
    }
    let carried = Packet(
      from: SocketAddress(packet.source, port: 0), to: SocketAddress(packet.target, port: 0),
      payload: .carried(bytes))
    let line = lines.line(side == .left ? .forward : .backward)
    world.schedule(after: ends[source].delay) { line.offer(carried) }
    run(until: now)
  }

  /// Lets happen what is due.
  package func run(until now: Instant) {
    present = max(now, present)
    world.run(until: present)
  }

  package var nextDeadline: Instant? { world.nextEvent }

  /// What has arrived since the last call, in order.
  package func takeDeliveries() -> [Delivery] {
    defer { deliveries.removeAll(keepingCapacity: true) }
    return deliveries
  }

  /// Tenths of a second that have passed since the last call.
  package func takeSamples() -> [ScenarioSample] {
    defer { samples.removeAll() }
    return samples
  }

  package func counters(_ direction: Bottleneck.Direction) -> LineCounters {
    lines?.counters(direction) ?? LineCounters()
  }

  private func passed(_ packet: Packet) {
    guard case .carried(let bytes) = packet.payload,
      let target = ends.firstIndex(where: { $0.address == packet.to.ip })
    else { return }
    world.schedule(after: ends[target].delay) { [unowned self] in
      if let flow = ends[target].flow, ends[target].side != sourceSide(of: flow) {
        received[flow] += ByteCount(bytes.count)
      }
      lateness.append(Int32(clamping: (present - world.now).microseconds))
      deliveries.append(Delivery(end: target, packet: bytes))
    }
  }

  private func sourceSide(of flow: Int) -> Bottleneck.Side {
    scenario.flows[flow].direction == .forward ? .left : .right
  }

  private func sample(since start: Instant) {
    meter?.sample([], at: world.now)
    func rate(_ bytes: ByteCount) -> Double {
      Bitrate(of: bytes, in: ScenarioMeter.interval).kilobitsPerSecond
    }
    let flows = scenario.flows.indices.map {
      ScenarioSample.OfFlow(sent: rate(sent[$0]), received: rate(received[$0]))
    }
    sent = sent.map { _ in .zero }
    received = sent
    // The first look makes none.
    guard var sample = meter?.samples.last, world.now > start else { return }
    sample.time = (world.now - start).seconds
    sample.flows = flows
    samples.append(sample)
  }
}
