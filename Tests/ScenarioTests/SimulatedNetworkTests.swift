import Links
import Simulation
import Testing
import Units

/// Two computers and what each of them was told.
private final class TwoHosts {
  let world: World
  let network: SimulatedNetwork
  let left: SimulatedHost
  let right: SimulatedHost
  var datagrams: [(at: Instant, bytes: [UInt8])] = []
  var rightBytes: [UInt8] = []
  var leftBytes: [UInt8] = []
  var events: [String] = []
  let socket: SocketID
  let target: SocketAddress
  let from: SocketID

  init(seed: UInt64 = 1, line: AccessLine = .local, up: LinkConditions? = nil) {
    world = World(seed: seed)
    network = SimulatedNetwork(world)
    var lineOfLeft = line
    if let up { lineOfLeft.up = up }
    left = network.addHost("left", line: lineOfLeft)
    right = network.addHost("right", line: AccessLine(name: "direct", both: LinkConditions()))
    let bound = right.bindDatagram()
    socket = bound.0
    target = SocketAddress(right.addresses[0], port: bound.port)
    from = left.bindDatagram().0
    right.program = { [unowned self] in take($0, isLeft: false) }
    left.program = { [unowned self] in take($0, isLeft: true) }
  }

  private func take(_ event: NetworkEvent, isLeft: Bool) {
    let name = isLeft ? "left" : "right"
    switch event {
    case .datagram(let bytes, _, _): datagrams.append((world.now, bytes))
    case .stream(let bytes, _):
      if isLeft { leftBytes += bytes } else { rightBytes += bytes }
    case .accepted(let id, _, _):
      events.append("\(name) accepted")
      acceptedID = id
    case .dialed: events.append("\(name) dialed")
    case .dialFailed: events.append("\(name) failed")
    case .streamClosed: events.append("\(name) closed")
    case .backlog(_, let count): backlogs.append(count)
    }
  }
  var acceptedID = StreamID.accepted(0)
  var backlogs: [Int] = []

  /// A datagram of `count` bytes each `interval`, numbered.
  func stream(_ count: Int, bytes: Int, every interval: Interval) {
    for number in 0..<count {
      world.schedule(after: .nanoseconds(interval.nanoseconds * Int64(number))) { [self] in
        var payload = [UInt8](repeating: 0, count: bytes)
        payload[0] = UInt8(number >> 8)
        payload[1] = UInt8(number & 255)
        left.transmit(payload, to: target, from: from)
      }
    }
  }

  var numbers: [Int] { datagrams.map { Int($0.bytes[0]) << 8 | Int($0.bytes[1]) } }
}

@Suite struct SimulatedNetworkTests {
  @Test func `a datagram takes the delay of both lines`() {
    let hosts = TwoHosts(up: LinkConditions(delay: .milliseconds(30)))
    hosts.stream(1, bytes: 100, every: .zero)
    hosts.world.run(for: .seconds(1))
    #expect(hosts.datagrams.map(\.at) == [.zero + .milliseconds(30)])
  }

  @Test func `a rate spaces packets and its full queue drops the tail`() {
    // 1 028 + 200 bytes on the wire at 1 Mbit/s: 9.8 ms each.
    let hosts = TwoHosts(up: LinkConditions(rate: .kilobits(1_000), queue: .milliseconds(100)))
    hosts.stream(50, bytes: 1_200, every: .zero)
    hosts.world.run(for: .seconds(5))
    let counters = hosts.left.upCounters
    #expect(counters.droppedByQueue + hosts.datagrams.count == 50)
    #expect((11...12).contains(hosts.datagrams.count))
    #expect(hosts.numbers == Array(0..<hosts.datagrams.count))
    let gap = hosts.datagrams[5].at - hosts.datagrams[4].at
    #expect(gap == Bitrate.kilobits(1_000).duration(of: ByteCount(1_228)))
    #expect(counters.waits.percentile(0.95) > .milliseconds(90))
    #expect(counters.waits.percentile(0.95) < .milliseconds(120))
  }

  @Test func `utilisation is the busy part of the time`() {
    let hosts = TwoHosts(up: LinkConditions(rate: .kilobits(1_000)))
    hosts.stream(100, bytes: 597, every: .milliseconds(10))
    hosts.world.run(for: .seconds(1))
    #expect(abs(hosts.left.upCounters.utilisation(at: hosts.world.now) - 0.5) < 0.01)
  }

  @Test func `loss, duplication and corruption have their rates and their counters`() {
    var conditions = LinkConditions(loss: 0.2)
    conditions.duplication = 0.1
    conditions.corruption = 0.05
    let hosts = TwoHosts(up: conditions)
    hosts.stream(5_000, bytes: 50, every: .milliseconds(1))
    hosts.world.run(for: .seconds(6))
    let counters = hosts.left.upCounters
    #expect((900...1_100).contains(counters.lost))
    #expect((330...470).contains(counters.duplicated))
    #expect((150...250).contains(counters.corrupted))
    #expect(hosts.datagrams.count == 5_000 - counters.lost + counters.duplicated)
    let altered = hosts.datagrams.filter { $0.bytes[2...].contains { $0 != 0 } }.count
    #expect(altered > counters.corrupted * 8 / 10)
  }

  @Test func `jitter keeps the order unless it is told not to`() {
    func arrivals(reorders: Bool) -> [Int] {
      var conditions = LinkConditions(delay: .milliseconds(10), jitter: .milliseconds(100))
      conditions.jitterReorders = reorders
      let hosts = TwoHosts(up: conditions)
      hosts.stream(200, bytes: 10, every: .milliseconds(5))
      hosts.world.run(for: .seconds(3))
      return hosts.numbers
    }
    #expect(arrivals(reorders: false) == Array(0..<200))
    let mixed = arrivals(reorders: true)
    #expect(mixed != Array(0..<200) && mixed.sorted() == Array(0..<200))
  }

  @Test func `Gaussian jitter is as RFC 8868 has it: ten of thirty milliseconds are one deviation`()
  {
    var conditions = LinkConditions(delay: .milliseconds(10), jitter: .milliseconds(30))
    conditions.jitterShape = .gaussian
    let hosts = TwoHosts(up: conditions)
    hosts.stream(4_000, bytes: 10, every: .milliseconds(100))
    hosts.world.run(for: .seconds(401))
    let added = hosts.datagrams.map { datagram in
      let number = Int(datagram.bytes[0]) << 8 | Int(datagram.bytes[1])
      return (datagram.at - .zero - .milliseconds(Int64(number) * 100 + 10)).milliseconds
    }
    #expect(added.count == 4_000)
    // The absolute value of a Gaussian: 68.3 % within one deviation, 95.4 % within two.
    #expect(abs(Double(added.count { $0 <= 10 }) / 4_000 - 0.683) < 0.03)
    #expect(abs(Double(added.count { $0 <= 20 }) / 4_000 - 0.954) < 0.02)
    #expect(added.allSatisfy { $0 >= 0 && $0 <= 30 })
  }

  @Test func `a reordered packet is passed by others`() {
    var conditions = LinkConditions(delay: .milliseconds(5))
    conditions.reordering = 0.25
    let hosts = TwoHosts(up: conditions)
    hosts.stream(400, bytes: 10, every: .milliseconds(5))
    hosts.world.run(for: .seconds(3))
    #expect(hosts.numbers.sorted() == Array(0..<400))
    let inversions = zip(hosts.numbers, hosts.numbers.dropFirst()).count { $0 > $1 }
    #expect((50...120).contains(inversions))
  }

  @Test func `an outage loses what it meets and a stall holds it back`() {
    let hosts = TwoHosts(up: LinkConditions(delay: .milliseconds(1)))
    hosts.stream(30, bytes: 10, every: .milliseconds(100))
    hosts.world.schedule(after: .milliseconds(950)) { hosts.left.change { $0.isDown = true } }
    hosts.world.schedule(after: .milliseconds(1_450)) { hosts.left.change { $0.isDown = false } }
    hosts.world.schedule(after: .milliseconds(1_950)) { hosts.left.change { $0.isStalled = true } }
    hosts.world.schedule(after: .milliseconds(2_450)) {
      hosts.left.change { $0.isStalled = false }
    }
    hosts.world.run(for: .seconds(4))
    #expect(hosts.numbers == Array(0..<10) + Array(15..<30))
    #expect(hosts.left.upCounters.droppedByOutage == 5)
    let held = hosts.datagrams[15...19].map(\.at)
    #expect(held.allSatisfy { $0 == .zero + .milliseconds(2_451) })
  }

  @Test func `a partition separates two computers and leaves their lines alone`() {
    let hosts = TwoHosts()
    hosts.network.partition(hosts.right, hosts.left)
    hosts.stream(2, bytes: 10, every: .milliseconds(100))
    hosts.world.schedule(after: .milliseconds(50)) {
      hosts.network.heal(hosts.left, hosts.right)
    }
    hosts.world.run(for: .seconds(1))
    #expect(hosts.numbers == [1])
  }

  @Test func `the same seed gives the same trace and another seed another`() {
    func trace(_ seed: UInt64) -> UInt64 {
      let hosts = TwoHosts(seed: seed, line: .wifi)
      hosts.stream(200, bytes: 300, every: .milliseconds(3))
      hosts.world.run(for: .seconds(2))
      return hosts.world.trace.value
    }
    #expect(trace(1) == trace(1))
    #expect(trace(1) != trace(2))
  }
}

@Suite struct SimulatedStreamTests {
  private static let id = StreamID.dialed(1)

  private func open(_ hosts: TwoHosts) {
    let port = hosts.right.listen()
    hosts.left.dial(Self.id, to: SocketAddress(hosts.right.addresses[0], port: port))
    hosts.world.run(for: .seconds(10))
  }

  private let payload = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7 ^ $0 >> 8) }

  @Test func `a connection opens, carries bytes both ways and closes in order`() {
    let hosts = TwoHosts()
    open(hosts)
    #expect(hosts.events == ["left dialed", "right accepted"])
    hosts.left.write(payload, on: Self.id)
    hosts.right.write([1, 2, 3], on: hosts.acceptedID)
    hosts.left.hangUp(Self.id)
    hosts.world.run(for: .seconds(5))
    #expect(hosts.rightBytes == payload)
    #expect(hosts.events.last == "right closed")
  }

  @Test func `nothing is lost, doubled or swapped by the worst line`() {
    var conditions = LinkConditions(delay: .milliseconds(20), jitter: .milliseconds(20), loss: 0.1)
    conditions.duplication = 0.1
    conditions.reordering = 0.2
    conditions.corruption = 0.05
    let hosts = TwoHosts(line: AccessLine(name: "worst", both: conditions))
    open(hosts)
    hosts.left.write(payload, on: Self.id)
    hosts.world.run(for: .seconds(300))
    #expect(hosts.rightBytes == payload)
  }

  @Test func `a rate is used to the full and the kernel says what it has not taken`() {
    let hosts = TwoHosts(
      up: LinkConditions(
        rate: .kilobits(2_000), queue: .milliseconds(200), delay: .milliseconds(20)))
    open(hosts)
    hosts.left.beginMeasurement()
    hosts.left.write(payload, on: Self.id)
    hosts.world.run(for: .seconds(1))
    #expect(hosts.left.upCounters.utilisation(at: hosts.world.now) > 0.9)
    #expect(hosts.backlogs.first.map { $0 > 250_000 } == true)
    hosts.world.run(for: .seconds(2))
    #expect(hosts.rightBytes == payload)
    #expect(hosts.backlogs.last == 0)
  }

  @Test func `a refused or unanswered dial fails`() {
    let hosts = TwoHosts()
    hosts.left.dial(Self.id, to: SocketAddress(hosts.right.addresses[0], port: 9))
    hosts.world.run(for: .seconds(1))
    #expect(hosts.events == ["left failed"])
    hosts.left.dial(.dialed(2), to: SocketAddress(.v4(203, 0, 113, 1), port: 9))
    hosts.world.run(for: .seconds(100))
    #expect(hosts.events == ["left failed", "left failed"])
  }

  @Test func `a killed program resets its connections`() {
    let hosts = TwoHosts()
    open(hosts)
    hosts.right.killProgram()
    hosts.world.run(for: .seconds(1))
    #expect(hosts.events.last == "left closed")
  }

  @Test func `a blackout delays bytes and keeps them`() {
    let hosts = TwoHosts()
    open(hosts)
    hosts.left.change { $0.isDown = true }
    hosts.left.write([1, 2, 3], on: Self.id)
    hosts.world.run(for: .seconds(10))
    #expect(hosts.rightBytes.isEmpty)
    hosts.left.change { $0.isDown = false }
    hosts.world.run(for: .seconds(30))
    #expect(hosts.rightBytes == [1, 2, 3])
  }

  @Test func `what a blackout lost is repeated by slow start, however often the timer ran out`() {
    let hosts = TwoHosts(up: LinkConditions(delay: .milliseconds(250)))
    open(hosts)
    // Grows the window to some 40 segments.
    hosts.left.write(Array(payload.prefix(60_000)), on: Self.id)
    hosts.world.run(for: .seconds(10))
    #expect(hosts.rightBytes.count == 60_000)
    hosts.left.change { $0.isDown = true }
    hosts.left.write(Array(payload.prefix(28_000)), on: Self.id)
    hosts.world.run(for: .seconds(5))
    hosts.left.change { $0.isDown = false }
    while hosts.rightBytes.count == 60_000 { hosts.world.run(for: .milliseconds(10)) }
    // 20 segments by 1, 2, 4, 8 and the rest; one or two at a time would take 5 s.
    hosts.world.run(for: .milliseconds(1_300))
    #expect(hosts.rightBytes.count == 88_000)
  }
}
