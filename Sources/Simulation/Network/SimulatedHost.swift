package import Links
package import Units

/// One computer on the simulated network: addresses, sockets, and an access line.
package final class SimulatedHost {
  package let name: String
  package private(set) var addresses: [IPAddress]
  /// Takes what the network tells; set by the program that runs here.
  package var program: (NetworkEvent) -> Void = { _ in }
  /// Of connections that are dialled or accepted from now on.
  package var streamAlgorithm = StreamAlgorithm.mixed

  private unowned let network: SimulatedNetwork
  /// Its place among the network's hosts.
  let index: Int
  private let world: World
  private let up: Line
  private let down: Line
  private var datagramPorts: [UInt16] = []
  private var listeningPorts: [UInt16] = []
  /// In the order of their making.
  private var connections: [StreamConnection] = []
  private var nextPort: UInt16 = 40_000
  private var nextAccepted: UInt64 = 0

  init(
    _ name: String, index: Int, addresses: [IPAddress], line: AccessLine,
    network: SimulatedNetwork, world: World
  ) {
    self.name = name
    self.index = index
    self.addresses = addresses
    self.network = network
    self.world = world
    // The lines know no host but by its number: what comes out of them is the network's.
    up = Line(world, line.up) { [unowned network] in network.route($0, from: index) }
    down = Line(world, line.down) { [unowned network] in network.deliver($0, to: index) }
  }

  // MARK: The line

  package func set(_ line: AccessLine) {
    up.set(line.up)
    down.set(line.down)
  }

  package func change(_ edit: (inout LinkConditions) -> Void) {
    for direction in [up, down] {
      var conditions = direction.conditions
      edit(&conditions)
      direction.set(conditions)
    }
  }

  package var line: AccessLine {
    AccessLine(name: name, up: up.conditions, down: down.conditions)
  }
  package var upCounters: LineCounters { up.counters }
  package var downCounters: LineCounters { down.counters }

  package func beginMeasurement() {
    up.counters.beginMeasurement(at: world.now)
    down.counters.beginMeasurement(at: world.now)
  }

  /// Another network: the old addresses are gone, with every connection that used them. Without
  /// a gateway it is the core.
  package func move(to addresses: [IPAddress], behind gateway: SimulatedGateway? = nil) {
    self.addresses = addresses
    network.moved(self, behind: gateway)
  }

  // MARK: Datagrams

  /// A socket on all of this computer's addresses.
  package func bindDatagram(port: UInt16? = nil) -> (SocketID, port: UInt16) {
    datagramPorts.append(port ?? takePort())
    return (SocketID(datagramPorts.count - 1), datagramPorts[datagramPorts.count - 1])
  }

  package func transmit(_ bytes: [UInt8], to: SocketAddress, from socket: SocketID) {
    guard datagramPorts.indices.contains(socket.number),
      let own = addresses.first(where: { $0.isV4 == to.ip.isV4 })
    else { return }
    let from = SocketAddress(own, port: datagramPorts[socket.number])
    up.offer(Packet(from: from, to: to, payload: .datagram(bytes)))
  }

  // MARK: Streams

  package func listen(port: UInt16? = nil) -> UInt16 {
    let port = port ?? takePort()
    if !listeningPorts.contains(port) { listeningPorts.append(port) }
    return port
  }

  /// Answered by `.dialed` or `.dialFailed`.
  package func dial(_ id: StreamID, to remote: SocketAddress) {
    guard let own = addresses.first(where: { $0.isV4 == remote.ip.isV4 }) else {
      world.schedule(at: world.now) { [weak self] in self?.program(.dialFailed(id)) }
      return
    }
    let local = SocketAddress(own, port: takePort())
    connections.append(
      StreamConnection(
        dialing: id, from: local, to: remote, world: world,
        algorithm: streamAlgorithm,
        transmit: { [unowned self] in up.offer($0) },
        report: { [unowned self] in program($0) }, remove: remover(local, remote)))
  }

  package func write(_ bytes: [UInt8], on id: StreamID) { connection(id)?.write(bytes) }
  package func hangUp(_ id: StreamID) { connection(id)?.hangUp() }

  /// The process is killed: its kernel resets every connection and forgets every socket.
  package func killProgram() {
    for connection in connections { connection.reset() }
    connections = []
    datagramPorts = []
    listeningPorts = []
    program = { _ in }
  }

  /// The process ends in order: what was written still goes out, then every connection closes.
  package func endProgram() {
    for connection in connections { connection.hangUp() }
    datagramPorts = []
    listeningPorts = []
    program = { _ in }
  }

  // MARK: What arrives

  func takeIn(_ packet: Packet) { down.offer(packet) }

  func receive(_ packet: Packet) {
    switch packet.payload {
    case .datagram(let bytes):
      guard let socket = datagramPorts.firstIndex(of: packet.to.port) else { return }
      program(.datagram(bytes, from: packet.from, on: SocketID(socket)))
    case .segment(let segment):
      if let known = connections.first(where: {
        $0.local == packet.to && $0.remote == packet.from
      }) {
        known.handle(segment)
      } else if segment.kind == .open, listeningPorts.contains(packet.to.port) {
        accept(packet, stamp: segment.stamp)
      } else if segment.kind != .reset {
        let reset = StreamSegment(kind: .reset)
        up.offer(Packet(from: packet.to, to: packet.from, payload: .segment(reset)))
      }
    case .carried: break
    }
  }

  private func accept(_ packet: Packet, stamp: Instant) {
    nextAccepted += 1
    connections.append(
      StreamConnection(
        accepting: .accepted(nextAccepted), at: packet.to, from: packet.from, stamp: stamp,
        world: world, algorithm: streamAlgorithm,
        transmit: { [unowned self] in up.offer($0) },
        report: { [unowned self] in program($0) }, remove: remover(packet.to, packet.from)))
  }

  private func remover(_ local: SocketAddress, _ remote: SocketAddress) -> () -> Void {
    { [unowned self] in connections.removeAll { $0.local == local && $0.remote == remote } }
  }

  private func connection(_ id: StreamID) -> StreamConnection? {
    connections.first { $0.id == id }
  }

  private func takePort() -> UInt16 {
    nextPort += 1
    return nextPort
  }
}
