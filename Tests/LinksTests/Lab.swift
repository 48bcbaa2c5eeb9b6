import Links
import Units
import Wire

/// Hubs on a network in virtual time: what one transmits, dials, writes or describes comes to the
/// others after a delay, as the network's faults allow.
final class Lab {
  /// What the network does; may be changed between runs.
  struct Weather {
    var delay = Interval.milliseconds(10)
    /// Uniform, on top of `delay`: datagrams overtake each other.
    var jitter = Interval.zero
    var loss = 0.0
    var duplication = 0.0
    var isUDPDown = false
    /// Datagrams between nodes; those to and from relays pass.
    var isDirectDown = false
    var isTCPDown = false
    /// What is said of a connection that cannot be made.
    var dialFailure = DialFailure.other
    var isServerDown = false
  }
  final class Node {
    let name: String
    let session: SessionID
    var hub: LinkHub
    var sockets: [SocketID: SocketAddress]
    let listeners: [SocketAddress]
    var heard: [(at: Instant, output: LinkHubOutput)] = []
    var sentDatagrams = 0
    /// Sees every datagram that arrives here.
    var tap: (([UInt8], DatagramPath) -> Void)?
    /// Changes what this node says of itself.
    var tamper: ((LinkDescription) -> LinkDescription)?
    let factory: FakeSessionFactory

    init(
      name: String, session: SessionID, hub: LinkHub, sockets: [SocketID: SocketAddress],
      listeners: [SocketAddress], factory: FakeSessionFactory
    ) {
      self.factory = factory
      self.name = name
      self.session = session
      self.hub = hub
      self.sockets = sockets
      self.listeners = listeners
    }
  }
  private enum Event {
    case input(Int, LinkHubInput)
    case connect(from: Int, StreamID, SocketAddress)
    case bytes(StreamEnd, [UInt8])
    case close(StreamEnd)
    case wake(Int)
    case relay([UInt8], from: LabRelay.Client)
    case relayed([UInt8], from: SocketAddress, to: SocketAddress)
  }
  private struct StreamEnd: Hashable {
    let node: Int
    let stream: StreamID
  }

  var weather = Weather()
  /// Whether the nodes that are added have addresses that mean something everywhere.
  var isPublic = false
  /// Reached from all networks.
  var relay: LabRelay?
  private(set) var now = Instant(nanoseconds: 1_000_000_000)
  private(set) var nodes: [Node] = []
  private var random: SeededRandom
  private var events: [(at: Instant, order: Int, event: Event)] = []
  private var order = 0
  private var wakes: [Int: Instant] = [:]
  private var peersOfStreams: [StreamEnd: StreamEnd] = [:]
  /// TCP keeps order: nothing arrives before what was written earlier.
  private var lastArrival: [StreamEnd: Instant] = [:]
  private var accepted: UInt64 = 0
  private var streamsToRelay: Set<StreamEnd> = []
  /// Deadlines that were due still after a timeout was handled: they would spin a real loop.
  private(set) var stuck: [(at: Instant, deadline: Deadline)] = []

  init(seed: UInt64) { random = SeededRandom(seed: seed) }

  /// Options of a node.
  struct Options {
    var transport = Transport.auto
    var ways = Ways.all
    /// Another than that of `ways`.
    var shield: AddressShield?
    var relaySessions: (any RelaySessionFactory)?
    var stunServers: [SocketAddress] = []
    var authenticationKey: [UInt8] = [1, 2, 3]
    var keyHash: [UInt8]?
    var sockets = 1
    /// Addresses at which connections are taken.
    var listeners = 1
    var isV6 = false
    var identity: FakeIdentity?
    var session: SessionID?
    var capabilities = Hello.takesClockedPong
  }

  func add(_ name: String, _ options: Options = Options()) -> Node {
    let index = nodes.count
    let session = options.session ?? SessionID(bytes: random.bytes(16))!
    let ciphers = FakeCiphers(seed: random.next())
    let keyHash = options.keyHash ?? FakeCiphers.digest(Array(name.utf8))
    let factory = FakeSessionFactory(certificateKeyHash: keyHash, ciphers: ciphers)
    let configuration = LinkHubConfiguration(
      roomID: [UInt8](repeating: 7, count: 16), ownSession: session,
      authenticationKey: options.authenticationKey, displayName: name,
      capabilities: options.capabilities, transport: options.transport, ways: options.ways,
      sessions: factory, ciphers: ciphers,
      identity: options.identity ?? FakeIdentity(publicKeyInfo: Array("key of \(name)".utf8)),
      relaySessions: options.relaySessions, stunServers: options.stunServers,
      allowsLoopback: false)
    var sockets: [SocketID: SocketAddress] = [:]
    var endpoints: [LocalEndpoint] = []
    for number in 0..<options.sockets {
      let ip = address(network: number, host: index + 1, isV6: options.isV6)
      let address = SocketAddress(ip, port: 5_000)
      sockets[SocketID(number)] = address
      endpoints.append(.datagram(SocketID(number), address))
    }
    let listeners = (0..<UInt16(options.listeners)).map {
      SocketAddress(
        address(network: 0, host: index + 1, isV6: options.isV6), port: 5_000 + $0)
    }
    endpoints += listeners.map { .listener($0) }
    let node = Node(
      name: name, session: session, hub: LinkHub(configuration, shield: options.shield),
      sockets: sockets,
      listeners: listeners, factory: factory)
    nodes.append(node)
    feed(node, .localEndpoints(endpoints))
    return node
  }

  /// The second byte names the network in both families.
  private func address(network: Int, host: Int, isV6: Bool) -> IPAddress {
    guard isV6 else { return .v4(isPublic ? 20 : 10, UInt8(network), 0, UInt8(host)) }
    let zeros = [UInt8](repeating: 0, count: 13)
    return IPAddress(bytes: [0x20, UInt8(network)] + zeros + [UInt8(host)])!
  }

  /// Everyone learns of everyone.
  func introduceAll() {
    for node in nodes {
      for other in nodes where other !== node { feed(node, .peerAppeared(other.session)) }
    }
  }

  func feed(_ node: Node, _ input: LinkHubInput) {
    node.hub.handle(input, at: now)
    let index = nodes.firstIndex { $0 === node }!
    if case .timeout = input, let deadline = node.hub.nextDeadline, deadline.at <= now {
      stuck.append((now, deadline))
    }
    while let output = node.hub.nextOutput() {
      node.heard.append((now, output))
      perform(output, of: index)
    }
    scheduleWake(of: index)
  }

  private func scheduleWake(of index: Int) {
    guard let deadline = nodes[index].hub.nextDeadline else { return }
    let at = max(deadline.at, now + .microseconds(1))
    if let planned = wakes[index], planned <= at, planned > now { return }
    wakes[index] = at
    schedule(.wake(index), at: at)
  }

  private func schedule(_ event: Event, at instant: Instant) {
    order += 1
    let entry = (at: instant, order: order, event: event)
    let place =
      events.lastIndex { ($0.at, $0.order) < (entry.at, entry.order) }.map { $0 + 1 } ?? 0
    events.insert(entry, at: place)
  }

  private func latency() -> Interval {
    weather.delay + weather.jitter * random.unit()
  }

  private func perform(_ output: LinkHubOutput, of index: Int) {
    switch output {
    case .transmit(let bytes, let to, let from): transmit(bytes, to: to, from: from, of: index)
    case .dial(let stream, let address):
      schedule(.connect(from: index, stream, address), at: now + latency())
    case .write(let bytes, let stream):
      let end = StreamEnd(node: index, stream: stream)
      if streamsToRelay.contains(end) {
        return schedule(
          .relay(bytes, from: .stream(node: index, stream)), at: now + weather.delay)
      }
      guard let other = peersOfStreams[end] else { return }
      let arrival = max(now + latency(), lastArrival[other] ?? now)
      lastArrival[other] = arrival
      schedule(.bytes(other, bytes), at: arrival)
    case .hangUp(let stream):
      let end = StreamEnd(node: index, stream: stream)
      guard let other = peersOfStreams.removeValue(forKey: end) else { return }
      schedule(.close(other), at: max(now + latency(), lastArrival[other] ?? now))
    case .describe(let session, let description):
      guard !weather.isServerDown,
        let other = nodes.firstIndex(where: { $0.session == session })
      else { return }
      let told = nodes[index].tamper?(description) ?? description
      let input = LinkHubInput.description(told, from: nodes[index].session)
      schedule(.input(other, input), at: now + latency())
    default: break
    }
  }

  private func transmit(
    _ bytes: [UInt8], to: SocketAddress, from: SocketID, of index: Int
  ) {
    nodes[index].sentDatagrams += 1
    guard !weather.isUDPDown, let source = nodes[index].sockets[from] else { return }
    if let relay, to == relay.address {
      guard !relay.isUDPDown else { return }
      return schedule(.relay(bytes, from: .datagrams(source)), at: now + latency())
    }
    if let relay, relay.owns(to) {
      guard !relay.isUDPDown else { return }
      return schedule(.relayed(bytes, from: source, to: to), at: now + latency())
    }
    guard !weather.isDirectDown else { return }
    for (other, node) in nodes.enumerated() {
      // Networks 10.0/16, 10.1/16 … don't reach each other.
      guard source.ip.bytes[1] == to.ip.bytes[1],
        let socket = node.sockets.first(where: { $0.value == to })?.key
      else { continue }
      for _ in 0..<(random.chance(weather.duplication) ? 2 : 1) {
        if random.chance(weather.loss) { continue }
        schedule(.input(other, .datagram(bytes, from: source, on: socket)), at: now + latency())
      }
    }
  }

  private func deliver(_ parcels: [LabRelay.Parcel]) {
    for parcel in parcels {
      switch parcel {
      case .answer(.stream(let node, let stream), let bytes):
        schedule(.input(node, .stream(bytes, on: stream)), at: now + weather.delay)
      case .answer(.datagrams(let address), let bytes):
        if let relay { arrive(bytes, from: relay.address, at: address) }
      case .datagram(let bytes, let source, let address):
        if relay?.owns(address) == true {
          schedule(.relayed(bytes, from: source, to: address), at: now)
        } else {
          arrive(bytes, from: source, at: address)
        }
      }
    }
  }

  private func arrive(_ bytes: [UInt8], from source: SocketAddress, at address: SocketAddress) {
    guard relay?.isUDPDown == false else { return }
    for (index, node) in nodes.enumerated() {
      guard let socket = node.sockets.first(where: { $0.value == address })?.key else { continue }
      schedule(.input(index, .datagram(bytes, from: source, on: socket)), at: now + latency())
    }
  }

  /// Runs until `interval` has passed, or `condition` holds.
  func run(_ interval: Interval, until condition: () -> Bool = { false }) {
    let end = now + interval
    while !condition(), let next = events.first, next.at <= end {
      events.removeFirst()
      now = next.at
      process(next.event)
    }
    if !condition() { now = end }
  }

  private func process(_ event: Event) {
    switch event {
    case .input(let index, let input):
      if case .datagram(let bytes, let source, let socket) = input {
        nodes[index].tap?(bytes, DatagramPath(socket: socket, remote: source))
      }
      feed(nodes[index], input)
    case .wake(let index):
      guard wakes[index] == now else { return }
      wakes[index] = nil
      feed(nodes[index], .timeout)
    case .relay(let bytes, let client): deliver(relay?.receive(bytes, from: client) ?? [])
    case .relayed(let bytes, let source, let address):
      deliver(relay?.receive(bytes, from: source, to: address) ?? [])
    case .connect(let index, let stream, let address) where address == relay?.address:
      guard relay?.isTCPDown == false else { return }
      streamsToRelay.insert(StreamEnd(node: index, stream: stream))
      feed(nodes[index], .dialed(stream))
    case .connect(let index, let stream, let address):
      guard !weather.isTCPDown,
        let other = nodes.firstIndex(where: { $0.listeners.contains(address) })
      else { return feed(nodes[index], .dialFailed(stream, weather.dialFailure)) }
      accepted += 1
      let near = StreamEnd(node: index, stream: stream)
      let far = StreamEnd(node: other, stream: .accepted(accepted))
      peersOfStreams[near] = far
      peersOfStreams[far] = near
      let host = self.address(network: 0, host: index + 1, isV6: !address.ip.isV4)
      let source = SocketAddress(host, port: 40_000)
      feed(nodes[other], .accepted(far.stream, from: source))
      feed(nodes[index], .dialed(stream))
    case .bytes(let end, let bytes):
      guard peersOfStreams[end] != nil else { return }
      if weather.isTCPDown { return schedule(event, at: now + .milliseconds(200)) }
      feed(nodes[end.node], .stream(bytes, on: end.stream))
    case .close(let end):
      guard peersOfStreams.removeValue(forKey: end) != nil else { return }
      feed(nodes[end.node], .streamClosed(end.stream))
    }
  }

  /// Connections that both ends hold open.
  var connections: Int { peersOfStreams.count / 2 }

  /// Both ends of all connections of this node are closed by the network.
  func cutStreams(of node: Node) {
    let index = nodes.firstIndex { $0 === node }!
    let ends = peersOfStreams.keys.filter { $0.node == index }
      .sorted { $0.stream.number < $1.stream.number }
    for end in ends {
      guard let other = peersOfStreams.removeValue(forKey: end) else { continue }
      peersOfStreams[other] = nil
      feed(nodes[end.node], .streamClosed(end.stream))
      feed(nodes[other.node], .streamClosed(other.stream))
    }
  }
}

/// What a node was told.
extension Lab.Node {
  var proved: [(session: SessionID, peer: ProvedPeer)] {
    heard.compactMap {
      if case .proved(let session, let peer) = $0.output { (session, peer) } else { nil }
    }
  }
  var selected: [(at: Instant, report: PathReport)] {
    heard.compactMap {
      if case .selected(_, let report) = $0.output { ($0.at, report) } else { nil }
    }
  }
  var silences: [Instant] {
    heard.compactMap { if case .silent = $0.output { $0.at } else { nil } }
  }
  var losses: [(at: Instant, reason: LossReason)] {
    heard.compactMap { if case .lost(_, let reason) = $0.output { ($0.at, reason) } else { nil } }
  }
  var failures: [HandshakeFailure] {
    heard.compactMap {
      if case .handshakeFailed(_, let failure) = $0.output { failure } else { nil }
    }
  }
  var frames: [[UInt8]] {
    heard.compactMap { if case .received(_, _, let body) = $0.output { Array(body) } else { nil } }
  }
  func messages(on stream: ReliableStream) -> [[UInt8]] {
    heard.compactMap {
      if case .receivedReliable(_, stream, let bytes, _) = $0.output { bytes } else { nil }
    }
  }
  func delivered(on stream: ReliableStream) -> [UInt64] {
    heard.compactMap {
      if case .delivered(_, stream, let id) = $0.output { id } else { nil }
    }
  }
}
