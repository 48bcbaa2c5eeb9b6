import Ciphers
import Links
import Units
import Wire

/// Which datagrams find their way in: to a socket of ours from our own relay, unasked and asked, and
/// from our own other socket by way of the router (RFC 4787 §5 and §6). RFC 5780 needs a server with two
/// addresses for that; a relay is an address of ours elsewhere, so it serves as well.
struct WayTrial: Sendable {
  enum Step: Sendable {
    /// From the relay to the address outside of a socket that never sent there.
    case unasked(Knock)
    /// The same, after that socket has sent to the relay itself.
    case asked(knock: Knock, answer: Knock, peer: SocketAddress?)
    case over
  }
  /// The socket that listens, and its address as the server has seen it.
  let socket: SocketID
  let outside: SocketAddress
  /// Place among the trials of relays.
  let relay: Int
  let relayed: SocketAddress
  /// The socket has sent to another port of the relay's address.
  let knowsAddress: Bool
  private(set) var step: Step
  private(set) var filtering = FamilyFindings.Filtering.unknown
  /// The relay carried something.
  private(set) var carries: Bool?
  /// The socket as somebody at the relayed address sees it.
  private(set) var seen: SocketAddress?

  enum Order: Sendable {
    /// From the relayed address.
    case throughRelay([UInt8], to: SocketAddress)
    /// From the socket.
    case direct([UInt8], to: SocketAddress)
  }

  init(
    socket: SocketID, outside: SocketAddress, relay: Int, relayed: SocketAddress,
    knowsAddress: Bool, ciphers: any CipherSuite, at now: Instant
  ) {
    self.socket = socket
    self.outside = outside
    self.relay = relay
    self.relayed = relayed
    self.knowsAddress = knowsAddress
    step = .unasked(Knock(ciphers: ciphers, at: now))
  }

  var isOver: Bool { if case .over = step { true } else { false } }

  var deadline: Deadline? {
    switch step {
    case .unasked(let knock): knock.deadline
    case .asked(let knock, let answer, _): .earlier(knock.deadline, answer.deadline)
    case .over: nil
    }
  }

  /// What is to be sent now. `isRefused`: the relay lets nothing to us, so nothing can be learned.
  mutating func proceed(
    isRefused: Bool, ciphers: any CipherSuite, at now: Instant
  ) -> [Order] {
    if isRefused { step = .over }
    switch step {
    case .over: return []
    case .unasked(var knock):
      let sends = knock.send(at: now)
      guard !knock.isOver else {
        step = .asked(
          knock: Knock(ciphers: ciphers, at: now), answer: Knock(ciphers: ciphers, at: now),
          peer: nil)
        return proceed(isRefused: false, ciphers: ciphers, at: now)
      }
      step = .unasked(knock)
      return sends ? [.throughRelay(knock.bytes, to: outside)] : []
    case .asked(var knock, var answer, let peer):
      var orders: [Order] = []
      if knock.send(at: now) { orders.append(.direct(knock.bytes, to: relayed)) }
      if answer.send(at: now) {
        orders.append(.throughRelay(answer.bytes, to: peer ?? outside))
      }
      guard !answer.isOver else {
        carries = peer != nil
        step = .over
        return []
      }
      step = .asked(knock: knock, answer: answer, peer: peer)
      return orders
    }
  }

  /// A datagram that came to the socket from the relayed address.
  mutating func receive(_ message: StunMessage) {
    switch step {
    case .unasked(var knock):
      guard knock.take(message) else { return }
      carries = true
      filtering = knowsAddress ? .notByPort : .none
      step = .over
    case .asked(_, var answer, _):
      guard answer.take(message) else { return }
      carries = true
      filtering = .unasked
      step = .over
    case .over: break
    }
  }

  /// A datagram that came to the relayed address.
  mutating func receive(_ message: StunMessage, atRelayFrom peer: SocketAddress) {
    guard case .asked(var knock, let answer, nil) = step, knock.take(message) else { return }
    seen = peer
    step = .asked(knock: knock, answer: answer, peer: peer)
  }
}

/// Two sockets of ours that send to each other's address outside.
struct HairpinTrial: Sendable {
  private var knocks: [(from: SocketID, to: SocketAddress, knock: Knock)]

  init(
    _ first: (socket: SocketID, outside: SocketAddress),
    _ second: (socket: SocketID, outside: SocketAddress), ciphers: any CipherSuite, at now: Instant
  ) {
    knocks = [
      (first.socket, second.outside, Knock(ciphers: ciphers, at: now)),
      (second.socket, first.outside, Knock(ciphers: ciphers, at: now)),
    ]
  }

  var hasSucceeded: Bool { knocks.contains { $0.knock.hasArrived } }
  var isOver: Bool { hasSucceeded || knocks.allSatisfy(\.knock.isOver) }

  var deadline: Deadline? {
    if hasSucceeded { return nil }
    return .earlier(knocks[0].knock.deadline, knocks[1].knock.deadline)
  }

  mutating func proceed(at now: Instant) -> [(bytes: [UInt8], path: DatagramPath)] {
    var orders: [(bytes: [UInt8], path: DatagramPath)] = []
    for index in knocks.indices where knocks[index].knock.send(at: now) {
      let path = DatagramPath(socket: knocks[index].from, remote: knocks[index].to)
      orders.append((knocks[index].knock.bytes, path))
    }
    return orders
  }

  mutating func receive(_ message: StunMessage, on socket: SocketID) {
    for index in knocks.indices where knocks[index].from != socket {
      _ = knocks[index].knock.take(message)
    }
  }
}
