import Ciphers
import Links
import Units
import Wire

/// The relays of a check: each that a call might use is asked for an address, which is given back.
struct RelayTrials {
  enum Output: Sendable {
    case transmit([UInt8], DatagramPath)
    case dial(StreamID, SocketAddress)
    case write([UInt8], StreamID)
    case hangUp(StreamID)
  }
  private(set) var all: [RelayTrial] = []
  private let choices: CallChoices
  private let sessions: any RelaySessionFactory
  private let ciphers: any CipherSuite
  private var outputs = OutputQueue<Output>()

  init(
    _ choices: CallChoices, sessions: any RelaySessionFactory, ciphers: any CipherSuite
  ) {
    self.choices = choices
    self.sessions = sessions
    self.ciphers = ciphers
  }

  mutating func nextOutput() -> Output? { outputs.next() }

  /// `families`: what calls ask for; `socket`: the one that asks all of a family, `nil` where there
  /// is none.
  mutating func begin(
    _ grant: RelayGrant, allowsLoopback: Bool, families: RelayFamilies,
    socket: (IPAddress) -> SocketID?, at now: Instant
  ) {
    for server in grant.servers {
      let socket = families.reach(server) ? socket(server.address.ip) : nil
      let untried = untried(server, hasSocket: socket != nil, allowsLoopback: allowsLoopback)
      var path: DatagramPath?
      var stream: StreamID?
      if let socket, untried == nil {
        if server.carrier == .udp {
          path = DatagramPath(socket: socket, remote: server.address)
        } else {
          stream = .dialed(UInt64(all.count))
        }
      }
      all.append(
        RelayTrial(
          server, path: path, stream: stream, for: families.asked(of: server),
          grant.credentials, ciphers: ciphers, at: now))
      if let untried { all[all.count - 1].fail(.untried(untried)) }
      if path != nil { all[all.count - 1].begin(sessions, at: now) }
      if let stream { outputs.append(.dial(stream, server.address)) }
    }
    drain()
  }

  private func untried(
    _ server: RelayServer, hasSocket: Bool, allowsLoopback: Bool
  ) -> RelayFinding.Untried? {
    if choices.ways == .direct { return .ways }
    guard choices.transport.relayCarriers.contains(server.carrier) else { return .transport }
    guard CandidateRules.accepts(server.address, allowsLoopback: allowsLoopback) else {
      return .address
    }
    return hasSocket ? nil : .family
  }

  var isSettled: Bool { all.allSatisfy { $0.outcome != nil } }

  // MARK: What comes in

  /// Whether datagrams on this path are a relay's.
  func owns(_ path: DatagramPath) -> Bool { index(on: path) != nil }

  private func index(on path: DatagramPath) -> Int? { all.firstIndex { $0.path == path } }
  private func index(on stream: StreamID) -> Int? { all.firstIndex { $0.stream == stream } }

  mutating func receive(_ bytes: [UInt8], on path: DatagramPath, at now: Instant) {
    guard let index = index(on: path) else { return }
    all[index].handle(.received(bytes), at: now)
    drain()
  }

  mutating func receive(_ bytes: [UInt8], on stream: StreamID, at now: Instant) {
    guard let index = index(on: stream) else { return }
    all[index].handle(.received(bytes), at: now)
    drain()
  }

  mutating func bounced(_ failure: DialFailure, on path: DatagramPath) {
    if let index = index(on: path) { all[index].bounced(failure) }
  }

  mutating func dialed(_ stream: StreamID, at now: Instant) {
    guard let index = index(on: stream) else { return }
    all[index].begin(sessions, at: now)
    drain()
  }

  /// There is no connection, or none any more; why.
  mutating func closed(_ stream: StreamID, _ reason: String) {
    if let index = index(on: stream) { all[index].fail(.unconnected(reason)) }
  }

  // MARK: What goes through

  /// The first that gave this socket an address that it can send to itself.
  func first(of socket: SocketID) -> Int? {
    all.firstIndex { $0.path?.socket == socket && $0.relayed?.ip.isV4 == $0.server.address.ip.isV4 }
  }

  mutating func send(
    _ bytes: [UInt8], to peer: SocketAddress, through index: Int, at now: Instant
  ) {
    all[index].handle(.send(bytes, to: peer), at: now)
    drain()
  }

  /// What came by way of it since the last time.
  mutating func takeReceived(of index: Int) -> [(bytes: [UInt8], peer: SocketAddress)] {
    defer { all[index].received = [] }
    return all[index].received
  }

  mutating func note(carries: Bool?, of index: Int) { all[index].carries = carries }

  private mutating func drain() {
    for index in all.indices {
      while let bytes = all[index].nextTransmit() { send(bytes, of: index) }
    }
  }

  private mutating func send(_ bytes: [UInt8], of index: Int) {
    if let path = all[index].path { outputs.append(.transmit(bytes, path)) }
    if let stream = all[index].stream { outputs.append(.write(bytes, stream)) }
  }

  // MARK: Time

  var nextDeadline: Deadline? {
    var deadline: Deadline?
    for trial in all { deadline = .earlier(deadline, trial.deadline) }
    return deadline
  }

  mutating func handleTimeout(at now: Instant) {
    for index in all.indices { all[index].handleTimeout(at: now) }
    drain()
  }

  /// Gives everything back; nobody waits for the answers.
  mutating func close(at now: Instant) {
    for index in all.indices {
      for bytes in all[index].close(at: now) { send(bytes, of: index) }
      if let stream = all[index].stream { outputs.append(.hangUp(stream)) }
    }
  }
}
