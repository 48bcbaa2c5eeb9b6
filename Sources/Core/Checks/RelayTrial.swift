import Ciphers
import Links
import Units
import Wire

/// An allocation at one relay over one carrier, made to see whether it can be.
struct RelayTrial: Sendable {
  let server: RelayServer
  /// Over UDP; the other is `stream`.
  let path: DatagramPath?
  let stream: StreamID?
  private(set) var outcome: RelayFinding.Outcome?
  var carries: Bool?
  /// As the relay sees our socket.
  private(set) var mapped: SocketAddress?
  private(set) var relayed: SocketAddress?
  /// Peers' datagrams that came by way of it, with where they came from.
  var received: [(bytes: [UInt8], peer: SocketAddress)] = []
  /// The relay lets nothing to and from our own address outside.
  private(set) var isRefusingPeers = false
  private var allocation: TurnAllocation?
  private let beganAt: Instant

  /// Of datagrams that wait to be looked at.
  private static let receivedLimit = 16

  init(_ server: RelayServer, path: DatagramPath? = nil, stream: StreamID? = nil, at now: Instant) {
    self.server = server
    self.path = path
    self.stream = stream
    beganAt = now
  }

  init(_ server: RelayServer, untried reason: RelayFinding.Untried, at now: Instant) {
    self.init(server, at: now)
    outcome = .untried(reason)
  }

  var finding: RelayFinding { RelayFinding(server, outcome ?? .silent, carries: carries) }
  var isAllocated: Bool { relayed != nil }

  mutating func begin(_ credentials: TurnCredentials, ciphers: any CipherSuite, at now: Instant) {
    allocation = TurnAllocation(
      over: path == nil ? .stream : .datagrams, family: server.address.ip.isV4 ? .v4 : .v6,
      credentials: credentials, ciphers: ciphers, at: now)
  }

  mutating func fail(_ reason: String) {
    guard outcome == nil else { return }
    allocation = nil
    outcome = .unconnected(reason)
  }

  mutating func handle(_ input: TurnAllocation.Input, at now: Instant) {
    allocation?.handle(input, at: now)
  }

  /// What goes to the relay.
  mutating func nextTransmit(at now: Instant) -> [UInt8]? {
    while let output = allocation?.nextOutput() {
      switch output {
      case .transmit(let bytes): return bytes
      case .allocated(let relayed, let mapped):
        self.relayed = relayed
        self.mapped = mapped
        outcome = outcome ?? .allocated(after: now - beganAt)
      case .received(let bytes, let peer):
        if received.count < Self.receivedLimit { received.append((bytes, peer)) }
      case .refused: isRefusingPeers = true
      case .failed(let failure): outcome = outcome ?? .failed(failure)
      case .closed: break
      }
    }
    return nil
  }

  var deadline: Deadline? { allocation?.nextDeadline }
}
