import Ciphers
import Links
import Rooms
import Units
import Wire

/// The server's side of TURN (RFC 8656) without sockets: what each client was given, and what passes
/// between it and its peers. It was written from the RFC, and not from our client.
struct TurnService {
  /// Who asks: an address, or a connection that comes from one.
  enum Client: Hashable {
    case datagrams(SocketAddress)
    case stream(StreamID, from: SocketAddress)

    var seen: SocketAddress {
      switch self {
      case .datagrams(let source), .stream(_, let source): source
      }
    }
    var isStream: Bool { if case .stream = self { true } else { false } }
  }
  enum Output {
    case answer([UInt8], to: Client)
    /// From an address that was given to a client.
    case forward([UInt8], to: SocketAddress, from: SocketID)
  }

  /// An address that was given away, and whom its owner lets in there.
  struct Allocation {
    let client: Client
    let user: User
    let socket: SocketID
    let relayed: SocketAddress
    /// Of the request and its answer, which is repeated where the request is (RFC 8656 §7.2).
    let answer: (transactionID: [UInt8], bytes: [UInt8])
    var expiresAt: Instant
    var permissions: [(ip: IPAddress, until: Instant)] = []
    var channels: [(number: UInt16, peer: SocketAddress, until: Instant)] = []

    func permits(_ ip: IPAddress) -> Bool { permissions.contains { $0.ip == ip } }
  }
  struct User: Equatable {
    let name: [UInt8]
    /// Of requests and answers (RFC 8489 §9.2.2).
    let key: [UInt8]
  }

  let behavior: RelayBehavior
  let ciphers: any CipherSuite
  /// Shared with the rendezvous server.
  let secret: [UInt8]
  let addresses: [IPAddress]
  let clock: WallClock
  private let bind: () -> (SocketID, port: UInt16)
  var allocations: [Allocation] = []

  static let realm = Array("relay.example.org".utf8)
  /// RFC 8656 §3.2, §9, §12; seconds but for the last two.
  private static let leastLifetime: UInt32 = 600
  private static let longestLifetime: UInt32 = 3_600
  static let permissionLifetime = Interval.seconds(300)
  static let channelLifetime = Interval.seconds(600)

  /// `bind` opens a socket on all of `addresses`.
  init(
    _ behavior: RelayBehavior, at addresses: [IPAddress], secret: [UInt8], clock: WallClock,
    ciphers: any CipherSuite, bind: @escaping () -> (SocketID, port: UInt16)
  ) {
    self.behavior = behavior
    self.addresses = addresses
    self.secret = secret
    self.clock = clock
    self.ciphers = ciphers
    self.bind = bind
  }

  /// Its connection is gone, and all that it had with it (RFC 8656 §7).
  mutating func forget(_ stream: StreamID) {
    allocations.removeAll { if case .stream(stream, _) = $0.client { true } else { false } }
  }

  func index(of client: Client) -> Int? { allocations.firstIndex { $0.client == client } }

  private mutating func expire(at now: Instant) {
    allocations.removeAll { $0.expiresAt <= now }
    for index in allocations.indices {
      allocations[index].permissions.removeAll { $0.until <= now }
      allocations[index].channels.removeAll { $0.until <= now }
    }
  }

  // MARK: What clients say

  /// One whole message.
  mutating func receive(_ bytes: [UInt8], from client: Client, at now: Instant) -> [Output] {
    expire(at: now)
    if ChannelData.isChannelData(bytes) { return forwardChannelData(bytes, from: client) }
    guard let received = try? StunMessage.Received(bytes) else { return [] }
    switch (received.message.kind, received.message.method) {
    case (.request, _):
      return answer(to: received, from: client, at: now).map { [.answer($0, to: client)] } ?? []
    case (.indication, .send): return forwardIndication(received.message, from: client)
    default: return []
    }
  }

  private mutating func answer(
    to received: StunMessage.Received, from client: Client, at now: Instant
  ) -> [UInt8]? {
    let request = received.message
    let unknown = request.attributes.compactMap(\.isUnknownAndRequired)
    guard unknown.isEmpty else {
      return error(420, to: request, [.unknownAttributes(unknown)]).encoded
    }
    let user: User
    switch admission(of: received, at: now) {
    case .admitted(let admitted): user = admitted
    case .refused(let refusal): return refusal.encoded
    }
    let answer: StunMessage
    if request.method == .allocate {
      // Before the rest: an answer that was lost is given again.
      if let known = index(of: client) {
        let first = allocations[known].answer
        if first.transactionID == request.transactionID { return first.bytes }
        answer = error(437, to: request)
      } else {
        return allocate(request, for: client, of: user, at: now)
      }
    } else if let index = index(of: client) {
      // RFC 8656 §5: only who made an allocation may speak of it.
      answer =
        allocations[index].user == user
        ? self.answer(request, index, at: now) : error(441, to: request)
    } else {
      answer = error(437, to: request)
    }
    return signed(answer, for: user).encoded
  }

  // MARK: Allocations

  /// RFC 8656 §7.2.
  private mutating func allocate(
    _ request: StunMessage, for client: Client, of user: User, at now: Instant
  ) -> [UInt8] {
    let transport = request.first {
      if case .requestedTransport(let number) = $0 { number } else { nil }
    }
    let family = request.first {
      if case .requestedAddressFamily(let family) = $0 { family } else { nil }
    }
    func refuse(_ code: Int) -> [UInt8] { signed(error(code, to: request), for: user).encoded }
    guard let transport else { return refuse(400) }
    guard transport == 17 else { return refuse(442) }
    guard let ip = addresses.first(where: { $0.isV4 == ((family ?? .v4) == .v4) }) else {
      return refuse(440)
    }
    guard allocations.count(where: { $0.user.name == user.name }) < behavior.allocationLimit else {
      return refuse(486)
    }
    let lifetime = min(
      max(request.lifetime ?? 0, Self.leastLifetime), Self.longestLifetime)
    let (socket, port) = bind()
    let relayed = SocketAddress(ip, port: port)
    let answer = signed(
      success(
        request,
        [
          .xorRelayedAddress(relayed), .lifetime(lifetime), .xorMappedAddress(client.seen),
        ]), for: user
    ).encoded
    allocations.append(
      Allocation(
        client: client, user: user, socket: socket, relayed: relayed,
        answer: (request.transactionID, answer), expiresAt: now + .seconds(Double(lifetime))))
    return answer
  }

  /// What is asked of an allocation that there is.
  private mutating func answer(
    _ request: StunMessage, _ index: Int, at now: Instant
  ) -> StunMessage {
    switch request.method {
    case .refresh:
      // RFC 8656 §8.2.
      if request.lifetime == 0 {
        allocations.remove(at: index)
        return success(request, [.lifetime(0)])
      }
      let lifetime = min(max(request.lifetime ?? 0, Self.leastLifetime), Self.longestLifetime)
      allocations[index].expiresAt = now + .seconds(Double(lifetime))
      return success(request, [.lifetime(lifetime)])
    case .createPermission:
      // RFC 8656 §10.2: all of them, or none.
      let peers = request.peers
      guard !peers.isEmpty else { return error(400, to: request) }
      for peer in peers {
        if let code = refusal(of: peer.ip, index) { return error(code, to: request) }
      }
      for peer in peers { permit(peer.ip, index, at: now) }
      return success(request, [])
    case .channelBind: return bindChannel(request, index, at: now)
    default: return error(400, to: request)
    }
  }

  /// RFC 8656 §12.2.
  private mutating func bindChannel(
    _ request: StunMessage, _ index: Int, at now: Instant
  ) -> StunMessage {
    let number = request.first { if case .channelNumber(let number) = $0 { number } else { nil } }
    guard let number, ChannelData.channels.contains(number), let peer = request.peers.first,
      !allocations[index].channels.contains(where: {
        ($0.number == number) != ($0.peer == peer)
      })
    else { return error(400, to: request) }
    if let code = refusal(of: peer.ip, index) { return error(code, to: request) }
    permit(peer.ip, index, at: now)
    allocations[index].channels.removeAll { $0.number == number }
    allocations[index].channels.append((number, peer, now + Self.channelLifetime))
    return success(request, [])
  }

  private func refusal(of peer: IPAddress, _ index: Int) -> Int? {
    if peer.isV4 != allocations[index].relayed.ip.isV4 { return 443 }
    return behavior.permits(peer) ? nil : 403
  }

  private mutating func permit(_ ip: IPAddress, _ index: Int, at now: Instant) {
    allocations[index].permissions.removeAll { $0.ip == ip }
    allocations[index].permissions.append((ip, now + Self.permissionLifetime))
  }

  // MARK: Data

  /// RFC 8656 §11.2: without a permission it is dropped, and nobody is told.
  private func forwardIndication(_ message: StunMessage, from client: Client) -> [Output] {
    let data = message.first { if case .data(let data) = $0 { data } else { nil } }
    guard let index = index(of: client), let peer = message.peers.first, let data,
      allocations[index].permits(peer.ip)
    else { return [] }
    return [.forward(data, to: peer, from: allocations[index].socket)]
  }

  /// RFC 8656 §12.6: a binding lives longer than the permission that it brought.
  private func forwardChannelData(_ bytes: [UInt8], from client: Client) -> [Output] {
    guard let index = index(of: client), let message = try? ChannelData(datagram: bytes),
      let channel = allocations[index].channels.first(where: { $0.number == message.channel }),
      allocations[index].permits(channel.peer.ip)
    else { return [] }
    return [.forward(message.data, to: channel.peer, from: allocations[index].socket)]
  }

  /// A peer's datagram to an address that was given away (RFC 8656 §11.3, §12.7).
  mutating func receive(
    _ data: [UInt8], from peer: SocketAddress, on socket: SocketID, at now: Instant
  ) -> [Output] {
    expire(at: now)
    guard
      let allocation = allocations.first(where: {
        $0.socket == socket && $0.relayed.ip.isV4 == peer.ip.isV4
      }), allocation.permits(peer.ip)
    else { return [] }
    let client = allocation.client
    if let channel = allocation.channels.first(where: { $0.peer == peer }) {
      let message = ChannelData(channel: channel.number, data: data)
      return [.answer(client.isStream ? message.padded : message.encoded, to: client)]
    }
    var message = StunMessage(
      .indication, method: .data, transactionID: ciphers.randomBytes(12),
      attributes: [.xorPeerAddress(peer), .data(data)])
    message.hasFingerprint = false
    return [.answer(message.encoded, to: client)]
  }
}

extension StunMessage {
  func first<Value>(_ value: (StunAttribute) -> Value?) -> Value? {
    attributes.lazy.compactMap(value).first
  }
  fileprivate var lifetime: UInt32? {
    first { if case .lifetime(let seconds) = $0 { seconds } else { nil } }
  }
  fileprivate var peers: [SocketAddress] {
    attributes.compactMap { if case .xorPeerAddress(let peer) = $0 { peer } else { nil } }
  }
}
