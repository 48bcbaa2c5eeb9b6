import Rooms
import Simulation
import Testing
import Units
import Wire

/// A rendezvous client alone, on a computer of its own.
private final class Visitor {
  private let world: World
  private let clock = SimulatedClock(epoch: .seconds(777), partsPerMillion: 30)
  private let host: SimulatedHost
  private var client: RendezvousClient
  private var registration: SimulatedRegistration!
  private var alarm: Alarm!
  let session: SessionID
  var told: [String] = []

  init(
    _ world: World, network: SimulatedNetwork, server: SimulatedServer, keys: RoomKeys,
    record: RoomRecord?, pinned: [UInt8]? = nil
  ) {
    self.world = world
    host = network.addHost("visitor", line: .wifi)
    var random = world.split()
    let identity = SimulatedIdentity(seed: random.next())
    session = SessionID(bytes: random.bytes(16))!
    client = RendezvousClient(
      RendezvousClient.Configuration(
        admissionSeed: keys.admissionSeed, session: session, peerID: identity.keyHash,
        record: record, seed: random.next()),
      ciphers: SimulatedCipherSuite(seed: random.next()))
    registration = SimulatedRegistration(
      host: host, server: server.address, pinned: pinned ?? server.keyHash,
      sessions: SimulatedSessionFactory(certificate: identity, seed: random.next()),
      world: world, clock: clock, feed: { [unowned self] in feed($0) })
    alarm = Alarm(world, clock: clock) { [unowned self] in
      client.handleTimeout(at: now)
      drain()
    }
    host.program = { [unowned self] in _ = registration.take($0) }
  }

  private var now: Instant { clock.local(world.now) }

  func feed(_ input: RendezvousClient.Input) {
    client.handle(input, at: now)
    drain()
  }

  private func drain() {
    while let output = client.nextOutput() {
      switch output {
      case .connect: registration.connect()
      case .disconnect: registration.disconnect()
      case .verify(let facts, _): registration.verify(facts)
      case .send(let bytes): registration.send(bytes)
      case .joined(let room): told.append("joined, \(room.members.count) others")
      case .registeredAgain: told.append("registered again")
      case .memberJoined(let member): told.append("member \(member.session.description.prefix(4))")
      case .memberLeft(let session): told.append("left \(session.description.prefix(4))")
      case .box(_, let sealed): told.append("box \(sealed)")
      case .record: told.append("record")
      case .relays: told.append("relays")
      case .lost: told.append("lost")
      case .ended(let ending): told.append("ended \(ending)")
      }
    }
    alarm.set(client.nextDeadline)
  }

  var shortName: String { String(session.description.prefix(4)) }
}

@Suite struct SimulatedServerTests {
  private let world = World(seed: 11)
  private let network: SimulatedNetwork
  private let server: SimulatedServer
  private let findings: Findings
  private let room: SimulatedRoom

  init() throws {
    network = SimulatedNetwork(world)
    findings = Findings(world)
    server = SimulatedServer(world, network: network, findings: findings)
    server.start()
    room = try SimulatedRoom(
      owner: SimulatedIdentity(seed: 5), with: SimulatedCipherSuite(seed: 6))
  }

  private func visitor(owns: Bool = false, pinned: [UInt8]? = nil) -> Visitor {
    Visitor(
      world, network: network, server: server, keys: room.keys,
      record: owns ? room.record : nil, pinned: pinned)
  }

  /// The owner and a guest, a second after the guest came.
  private func pair() -> (owner: Visitor, guest: Visitor) {
    let (owner, guest) = (visitor(owns: true), visitor())
    for visitor in [owner, guest] {
      visitor.feed(.start)
      world.run(for: .seconds(1))
    }
    return (owner, guest)
  }

  @Test func `two find each other, exchange a box and one leaves`() {
    let (first, second) = pair()
    #expect(first.told == ["joined, 0 others", "member \(second.shortName)"])
    #expect(second.told == ["joined, 1 others", "member \(first.shortName)"])
    #expect(server.census.members == 2)
    first.feed(.sendBox(to: second.session, sealed: [1, 2, 3]))
    world.run(for: .seconds(1))
    #expect(second.told.last == "box [1, 2, 3]")
    second.feed(.leave)
    world.run(for: .seconds(1))
    #expect(first.told.last == "left \(second.shortName)")
    #expect(findings.isEmpty, "\(findings.summary)")
  }

  @Test(arguments: [false, true])
  func `members come back by themselves after the server was killed`(losesArchive: Bool) {
    let (first, second) = pair()
    server.kill()
    if losesArchive { server.loseArchive() }
    world.run(for: .seconds(3))
    server.start()
    world.run(for: .seconds(35))
    #expect(first.told.contains("lost") && first.told.contains("registered again"))
    #expect(second.told.contains("lost") && second.told.contains("registered again"))
    #expect(!first.told.contains { $0.hasPrefix("left") || $0.hasPrefix("ended") })
    #expect(!second.told.contains { $0.hasPrefix("left") || $0.hasPrefix("ended") })
    #expect(server.census.members == 2)
    #expect(findings.isEmpty, "\(findings.summary)")
  }

  @Test func `an unknown room is refused`() {
    let visitor = visitor()
    visitor.feed(.start)
    world.run(for: .seconds(2))
    #expect(visitor.told == ["ended refused"])
  }

  @Test func `another server than the pinned one is rejected`() {
    let visitor = visitor(owns: true, pinned: [UInt8](repeating: 0, count: 32))
    visitor.feed(.start)
    world.run(for: .seconds(2))
    #expect(visitor.told == ["ended serverRejected"])
    #expect(server.census.rooms == 0)
  }

  @Test func `a server that is not there ends the first attempt`() {
    server.kill()
    let visitor = visitor(owns: true)
    visitor.feed(.start)
    world.run(for: .seconds(60))
    #expect(visitor.told.last?.hasPrefix("ended unreachable") == true)
  }
}
