import Call
import Links
import Simulation
import Testing
import Units
import Wire

/// A computer that asks the STUN server, is told what the other one's answer was, and sends to all
/// that it knows until something comes back: no ICE, but what ICE rests on.
private final class Puncher {
  let host: SimulatedHost
  private let socket: SocketID
  private let own: [SocketAddress]
  private(set) var mapped: [SocketAddress] = []
  private var targets: [SocketAddress] = []
  private(set) var isReached = false
  private static let transaction = [UInt8](repeating: 7, count: 12)

  init(_ host: SimulatedHost) {
    self.host = host
    let (socket, port) = host.bindDatagram()
    self.socket = socket
    own = host.addresses.map { SocketAddress($0, port: port) }
    host.program = { [unowned self] in take($0) }
  }

  func ask(_ server: SimulatedStunServer, as kind: StunMessage.Class = .request) {
    var writer = ByteWriter()
    // As long as its answer, which is never longer.
    let filling = StunAttribute.software([UInt8](repeating: 0x20, count: 24))
    StunMessage(kind, transactionID: Self.transaction, attributes: [filling]).write(to: &writer)
    for address in server.addresses { host.transmit(writer.bytes, to: address, from: socket) }
  }

  func learn(of other: Puncher) {
    for target in other.own + other.mapped where !targets.contains(target) {
      targets.append(target)
    }
  }

  /// The datagram names where it was sent to, and whether it answers.
  func knock(at targets: [SocketAddress]? = nil, isAnswer: Bool = false) {
    for target in targets ?? self.targets {
      let name = isAnswer ? "answer" : "knock"
      host.transmit(Array(name.utf8), to: target, from: socket)
    }
  }

  private func take(_ event: NetworkEvent) {
    guard case .datagram(let bytes, let from, _) = event else { return }
    if let message = try? StunMessage.Received(bytes).message {
      for case .xorMappedAddress(let address) in message.attributes { mapped.append(address) }
    } else if bytes == Array("knock".utf8), !own.contains(from) {
      if !targets.contains(from) { targets.append(from) }
      knock(at: [from], isAnswer: true)
    } else if bytes == Array("answer".utf8), !own.contains(from) {
      isReached = true
    }
  }
}

/// Accesses as they stand on the simulated network.
@Suite struct AccessTests {
  private func isPunched(_ pair: AccessPair) -> Bool {
    let world = World(seed: 1)
    let network = SimulatedNetwork(world)
    let server = SimulatedStunServer(network, line: .local)
    let access = network.addAccesses(pair, servers: server.host.addresses)
    let punchers = [
      Puncher(network.addHost("first", line: .local, at: access.first)),
      Puncher(network.addHost("second", line: .local, at: access.second)),
    ]
    for puncher in punchers { puncher.ask(server) }
    world.run(for: .milliseconds(100))
    punchers[0].learn(of: punchers[1])
    punchers[1].learn(of: punchers[0])
    for _ in 0..<10 {
      for puncher in punchers { puncher.knock() }
      world.run(for: .milliseconds(100))
    }
    return punchers.contains(where: \.isReached)
  }

  @Test func `what the search finds is what knocking finds on the simulated network`() {
    var found = 0
    for pair in AccessPair.all {
      let expected = PathSearch(pair).paths.contains(.udpDirect)
      found += expected ? 1 : 0
      #expect(isPunched(pair) == expected, "\(pair)")
    }
    #expect(found > 50)
    #expect(found < AccessPair.all.count - 50)
  }

  @Test func `each preset has a name of its own and meets every other`() {
    #expect(Set(AccessKind.presets.map(\.name)).count == AccessKind.presets.count)
    let names = AccessPair.all.map(\.description)
    #expect(Set(names).count == names.count)
    let count = AccessKind.presets.count
    let inside = AccessKind.presets.reduce(0) { $0 + $1.gateways.count }
    #expect(names.count == count * (count + 1) / 2 + inside)
    #expect(names.contains("cgnat+port under one carrier with cgnat+port"))
    #expect(names.contains("hairpin beside hairpin"))
  }

  @Test func `a computer has the addresses of its access`() {
    let network = SimulatedNetwork(World(seed: 1))
    func addresses(_ kind: AccessKind) -> [String] {
      let access = network.addAccess(kind)
      return network.addHost("host", line: .local, at: access).addresses.map(\.description)
    }
    #expect(addresses(.none) == ["198.51.100.1"])
    #expect(addresses(.dualStack) == ["198.51.100.2", "2001:db8::2"])
    #expect(addresses(.v6Only) == ["2001:db8::3"])
    #expect(addresses(.v6Filtered) == ["2001:db8:0:1::a"])
    #expect(addresses(.port) == ["192.168.1.10"])
    #expect(addresses(.dualFiltered) == ["192.168.1.10", "2001:db8:0:3::a"])
    #expect(addresses(.cgnat) == ["192.168.1.10"])
  }

  @Test func `the STUN server answers a request with where it came from, and nothing else`() {
    let world = World(seed: 1)
    let network = SimulatedNetwork(world)
    let server = SimulatedStunServer(network, line: .local)
    let access = network.addAccess(.symmetric)
    let asker = Puncher(network.addHost("asker", line: .local, at: access))
    asker.ask(server)
    world.run(for: .seconds(1))
    #expect(asker.mapped.map(\.ip) == [.v4(203, 0, 113, 11)])
    let heard = server.host.upCounters.offered
    asker.knock(at: server.addresses)
    asker.ask(server, as: .indication)
    world.run(for: .seconds(1))
    #expect(server.host.upCounters.offered == heard)
  }
}
