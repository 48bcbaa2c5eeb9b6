package import Links
import Rooms
import Units
import Wire

/// An invited member who colludes with the server, and perhaps with another member: it speaks to a
/// third one in that member's session, but with its own identity (THREATS S25).
///
/// The server hands it every box, which whoever holds the room's secret can open, and passes its own
/// on as the other member's. By them it makes itself the newest address of that session.
package final class Accomplice {
  package let host: SimulatedHost
  /// What came to it that was meant for the other member: anything is too much.
  package private(set) var loot: [LinkHubOutput] = []
  /// How often the victim proved itself to it: so far it gets with a link key that was lent.
  package private(set) var proofs = 0

  private let target: SimulatedMember
  private let victim: SimulatedMember
  private let room: SimulatedRoom
  private let world: World
  private let clock: SimulatedClock
  private let ciphers: SimulatedCipherSuite
  private var hub: LinkHub
  private var alarm: Alarm!
  private let socket: (SocketID, port: UInt16)
  private var listener: UInt16
  /// Of its last box.
  private var sequence: UInt64 = 1 << 32
  private var generation: UInt32 = 0
  private var moves = 0
  private var said: UInt64 = 0
  /// What the victim told the target last.
  private var overheard: LinkDescription?
  private var isActive = false

  /// Each is a new generation, and the other side takes eight descriptions a second.
  private static let moveLimit = 6
  /// What it says begins so.
  package static let boast = "Eve speaks for Ben"

  /// `isKeyLent`: the target has given it the key of its links.
  package init(
    in call: SimulatedCall, as target: SimulatedMember, against victim: SimulatedMember,
    isKeyLent: Bool, transport: Transport
  ) {
    self.target = target
    self.victim = victim
    room = call.room
    world = call.world
    host = call.network.addHost("accomplice", line: .cable)
    var random = call.world.split()
    clock = SimulatedClock(epoch: .seconds(7_000))
    ciphers = SimulatedCipherSuite(seed: random.next())
    let seed = random.next()
    hub = LinkHub(
      LinkHubConfiguration(
        roomID: call.room.keys.rid, ownSession: target.session,
        authenticationKey: call.room.keys.authentication, displayName: target.name,
        transport: transport,
        sessions: isKeyLent
          ? target.sessions.lent(seed: seed) : SimulatedSessionFactory(seed: seed),
        ciphers: ciphers, identity: SimulatedIdentity(seed: random.next()), allowsLoopback: false))
    socket = host.bindDatagram()
    listener = host.listen()
    alarm = Alarm(call.world, clock: clock) { [unowned self] in handle(.timeout) }
    host.program = { [unowned self] in take($0) }
    call.server.confidant = { [unowned self] kind, body in overhear(kind, body) }
  }

  private var now: Instant { clock.local(world.now) }

  /// From now on it does what it can.
  package func begin() {
    isActive = true
    handle(.localEndpoints(endpoints))
    handle(.peerAppeared(victim.session))
    approach()
    world.repeat(every: .milliseconds(50)) { [weak self] in
      guard let self, isActive else { return false }
      speak()
      return true
    }
  }

  /// Says goodbye in the other's name.
  package func end() {
    isActive = false
    handle(.close)
  }

  private func speak() {
    said += 1
    let message = ChatMessage(number: said, text: "\(Self.boast) \(said)")
    handle(.sendReliable(victim.session, .chat, message.encoded, id: said))
    handle(.send(victim.session, .rtp, [UInt8](repeating: 0x80, count: 40)))
  }

  // MARK: The server's help

  private func overhear(_ kind: RendezvousKind, _ body: [UInt8]) {
    guard kind == .box, let box = try? SealedBox(decoding: body), box.session == target.session
    else { return }
    let channel = BoxChannel(rid: room.keys.rid, from: victim.session, to: target.session)
    guard
      let (_, content) = channel.open(box.sealed, boxKey: room.keys.box, with: ciphers),
      let description = try? LinkDescription(decoding: content)
    else { return }
    overheard = description
    if isActive { approach() }
  }

  private func approach() {
    guard let overheard else { return }
    handle(.description(overheard, from: victim.session))
    // The victim takes a generation that is newer than the target's, and no other's of the same.
    guard overheard.generation != generation, moves < Self.moveLimit else { return }
    moves += 1
    listener = host.listen()
    handle(.localEndpoints(endpoints))
  }

  private func forge(_ description: LinkDescription) {
    generation = description.generation
    sequence += 1
    let channel = BoxChannel(rid: room.keys.rid, from: target.session, to: victim.session)
    let sealed = channel.seal(
      description.encoded, sequence: sequence, boxKey: room.keys.box, with: ciphers)
    victim.takeFromServer(
      RendezvousFrame(.delivered, SealedBox(session: target.session, sealed: sealed)))
  }

  // MARK: Its own links

  private var endpoints: [LocalEndpoint] {
    host.addresses.flatMap { address -> [LocalEndpoint] in
      [
        .datagram(socket.0, SocketAddress(address, port: socket.port)),
        .listener(SocketAddress(address, port: listener)),
      ]
    }
  }

  private func handle(_ input: LinkHubInput) {
    hub.handle(input, at: now)
    while let output = hub.nextOutput() { perform(output) }
    alarm.set(hub.nextDeadline)
  }

  private func perform(_ output: LinkHubOutput) {
    switch output {
    case .transmit(let bytes, let to, let from): host.transmit(bytes, to: to, from: from)
    case .dial(let stream, let address): host.dial(stream, to: address)
    case .write(let bytes, let stream): host.write(bytes, on: stream)
    case .hangUp(let stream): host.hangUp(stream)
    case .describe(_, let description): forge(description)
    case .proved: proofs += 1
    case .received, .receivedReliable, .delivered: loot.append(output)
    default: return
    }
  }

  private func take(_ event: NetworkEvent) {
    switch event {
    case .datagram(let bytes, let from, let socket):
      handle(.datagram(bytes, from: from, on: socket))
    case .accepted(let stream, let from, _): handle(.accepted(stream, from: from))
    case .dialed(let stream): handle(.dialed(stream))
    case .dialFailed(let stream): handle(.dialFailed(stream))
    case .stream(let bytes, let stream): handle(.stream(bytes, on: stream))
    case .streamClosed(let stream): handle(.streamClosed(stream))
    case .backlog(let stream, let count): handle(.backlog(stream, count))
    }
  }
}
