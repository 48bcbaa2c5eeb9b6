import Ciphers
import Fixtures
import Links
import Rooms
import Simulation
import Units
import Wire

@testable import Checks

/// A home behind a router, a server and a relay with an address of their own, in virtual time.
final class CheckLab {
  enum Mapping {
    case untranslated
    case independent
    case dependent
  }
  enum Filtering {
    case none
    case byAddress
    case byPort
  }
  static let own = IPAddress.v4(10, 1, 0, 2)
  static let router = IPAddress.v4(203, 0, 113, 11)
  static let server = SocketAddress(.v4(192, 0, 2, 1), port: 7_443)
  static let relay = SocketAddress(.v4(192, 0, 2, 9), port: 3_478)
  static let ports: [UInt16] = [5_000, 5_001]
  private static let secret = "secret"

  var mapping = Mapping.independent
  var filtering = Filtering.byPort
  var hairpins = false
  var passesUDP = true
  /// `nil`: nobody is there.
  var entry: RendezvousKind? = .joined
  /// What a connection to the server becomes.
  var isServerThere = true
  var isServerMuteOverUDP = false
  var isTrusted = true
  var carriers: [RelayServer.Carrier] = []
  /// The relay knows another secret than the server.
  var isSecretWrong = false
  /// The relay's relayed address lets nothing in or out.
  var isRelayShut = false
  /// Why TCP to the relay fails; `nil`: it doesn't.
  var dialFailure: String?
  /// Nobody there has the connection either.
  var isDialSilent = false
  var relayAddress = CheckLab.relay
  var relayHost = "r.example"
  var sessions = PlainSessions()
  /// What comes back of what goes to the server and to relays over UDP, where that doesn't pass.
  var bounce: DialFailure?
  /// UDP passes from then on.
  var passesUDPAfter: Interval?
  var choices = CallChoices()
  var servers = [CheckLab.server]
  /// The one of them that answers over UDP.
  var answeringServer = CheckLab.server
  /// Of this computer, which has sockets of IPv4 in any case.
  var own = CheckLab.own
  /// Others of its addresses.
  var more: [IPAddress] = []
  /// The relay lets nothing to us and from us.
  var isRelayRefusing = false
  /// The relay has IPv6 alone.
  var lacksRelayV4 = false
  /// The relay doesn't say how it sees us.
  var isRelayDiscreet = false
  /// What the relay's credentials are called; `nil`: as the server names them.
  var userName: String?
  /// How often the relays are granted, and how late.
  var grants = 1
  var grantDelay = Interval.zero
  /// What relayed addresses send to one socket comes to the other.
  var crossesSockets = false

  private(set) var now = Instant.zero + .seconds(50)
  private(set) var allocations = 0
  /// Of the addresses that relays were asked for.
  private(set) var askedFamilies: [StunFamily] = []
  private(set) var released = 0
  private(set) var hasLeft = false
  /// Datagrams that left.
  private(set) var sent: [DatagramPath] = []
  /// Messages on streams.
  private(set) var written = 0
  private(set) var dialed = 0
  private(set) var hungUp = 0
  private(set) var elapsed = Interval.zero
  private var begin = Instant.zero
  private lazy var check = newCheck()
  private var queue: [(at: Instant, order: Int, NetworkCheck.Input)] = []
  private var orders = 0
  private var mapped: [(port: UInt16, remote: SocketAddress, outside: UInt16)] = []
  private var sentTo: [(port: UInt16, remote: SocketAddress)] = []
  private var allocated: [(relayed: SocketAddress, client: SocketAddress)] = []
  private var permitted: [IPAddress] = []
  private var streamSplitter = TurnSplitter()
  private var isFinished = false
  private let suite: SimulatedCipherSuite
  private static let delay = Interval.milliseconds(15)

  init(seed: UInt64 = 1, _ change: (CheckLab) -> Void = { _ in }) {
    suite = SimulatedCipherSuite(seed: seed)
    change(self)
  }

  private func newCheck() -> NetworkCheck {
    let session = SessionID(bytes: [UInt8](repeating: 7, count: SessionID.count))!
    let client = RendezvousClient(
      RendezvousClient.Configuration(
        admissionSeed: [UInt8](repeating: 1, count: 32), session: session,
        peerID: [UInt8](repeating: 2, count: 32), record: nil, seed: 1), ciphers: suite)
    return NetworkCheck(
      NetworkCheck.Configuration(
        sockets: sockets, ownAddresses: [own, .loopbackV4] + more, servers: servers,
        choices: choices,
        ciphers: suite, relaySessions: sessions),
      rendezvous: client)
  }

  /// Two of the family of our address; and two that nothing gets out of, if that isn't IPv4.
  private var sockets: [NetworkCheck.Socket] {
    (own.isV4 ? [true] : [false, true]).flatMap { isV4 in
      Self.ports.enumerated().map { index, port in
        let isMute = isV4 != own.isV4
        return NetworkCheck.Socket(
          SocketID(isMute ? index + Self.ports.count : index), isV4: isV4, port: port)
      }
    }
  }

  /// Until the check ends by itself.
  func run() -> NetworkFindings {
    begin = now
    feed(.start)
    var turns = 0
    while !isFinished {
      turns += 1
      precondition(turns < 10_000, "it comes again and again")
      let next = queue.min { ($0.at, $0.order) < ($1.at, $1.order) }
      let deadline = check.nextDeadline!
      if let next, next.at <= deadline.at {
        queue.removeAll { $0.order == next.order }
        now = next.at
        feed(next.2)
      } else {
        precondition(deadline.at >= now, "\(deadline.timer) is in the past")
        now = deadline.at
        feed(.timeout)
      }
    }
    elapsed = now - begin
    return check.findings
  }

  /// What comes after the end, which nobody waits for.
  func feedLate() -> Bool {
    let known = sent.count + written + hungUp + dialed
    feed(.datagram([0], from: Self.server, on: SocketID(0)))
    feed(.timeout)
    return sent.count + written + hungUp + dialed == known && check.nextDeadline == nil
  }

  /// Datagrams that relays brought and nobody has looked at.
  var leftOver: Int { check.relays.all.map(\.received.count).reduce(0, +) }

  private func feed(_ input: NetworkCheck.Input) {
    check.handle(input, at: now)
    while let output = check.nextOutput() { perform(output) }
  }

  private func later(_ input: NetworkCheck.Input, after delay: Interval = delay * 2) {
    orders += 1
    queue.append((now + delay, orders, input))
  }

  private func perform(_ output: NetworkCheck.Output) {
    switch output {
    case .rendezvous(let output): perform(output)
    case .transmit(let bytes, let path):
      sent.append(path)
      guard path.socket.number < Self.ports.count else { return }
      if passesUDP || passesUDPAfter.map({ begin + $0 <= now }) == true {
        sendOut(bytes, from: Self.ports[path.socket.number], to: path.remote)
      } else if let bounce {
        later(.bounced(bounce, path))
      }
    case .dial(let stream, _):
      dialed += 1
      if isDialSilent { return }
      later(dialFailure.map { .dialFailed(stream, $0) } ?? .dialed(stream))
    case .write(let bytes, let stream):
      written += 1
      streamSplitter.push(bytes)
      while let message = try? streamSplitter.next() {
        let source = SocketAddress(Self.router, port: 40_000)
        if let answer = answer(message, from: source) { later(.stream(answer, on: stream)) }
      }
    case .hangUp: hungUp += 1
    case .finished: isFinished = true
    }
  }

  private func perform(_ output: RendezvousClient.Output) {
    switch output {
    case .connect:
      let facts = RendezvousClient.ServerFacts(
        keyHash: [UInt8](repeating: 3, count: 32), chain: [],
        exporter: [UInt8](repeating: 4, count: 32))
      if isServerThere {
        later(.server(.secured(facts)))
      } else {
        later(.server(.disconnected("connection refused")))
      }
    case .verify: later(.server(isTrusted ? .serverAccepted : .serverRejected), after: .zero)
    case .send(let bytes):
      if bytes[bytes.count - 1] == RendezvousKind.leave.rawValue { hasLeft = true }
      guard let entry, !hasLeft else { return }
      var said = RendezvousFrame(entry).encoded
      if entry == .joined {
        let terms = RoomTerms(
          owner: [UInt8](repeating: 2, count: 32), expiry: 0, size: 2, isLocked: false,
          allowed: [])
        let snapshot = RoomSnapshot(
          isNew: true, record: RoomRecord(terms: terms, sealed: [1]), members: [])
        said = RendezvousFrame(.joined, snapshot).encoded
        let granted = (0..<grants).flatMap { _ in RendezvousFrame(.relays, grant).encoded }
        if grantDelay > .zero {
          later(.server(.received(granted)), after: grantDelay)
        } else if !carriers.isEmpty {
          said += granted
        }
      }
      later(.server(.received(said)))
    default: break
    }
  }

  private var grant: RelayGrant {
    RelayGrant(
      lifetime: 600,
      credentials: userName.flatMap { TurnCredentials(username: Array($0.utf8), password: [1]) }
        ?? credentials(Self.secret),
      servers: carriers.map { RelayServer($0, relayAddress, host: Array(relayHost.utf8)) })
  }
  private func credentials(_ secret: String) -> TurnCredentials {
    .minted(
      name: Array("r".utf8), expiry: 1_000_600, secret: Array(secret.utf8), ciphers: suite)
  }

  // MARK: The router

  private func sendOut(_ bytes: [UInt8], from port: UInt16, to remote: SocketAddress) {
    sentTo.append((port, remote))
    let source = outside(port, to: remote)
    if remote.ip == Self.router {
      guard hairpins else { return }
      return takeIn(bytes, from: source, to: remote.port)
    }
    if remote == answeringServer, servers.contains(remote), !isServerMuteOverUDP {
      guard let answer = StunResponder.answer(to: bytes, from: source) else { return }
      takeIn(answer, from: remote, to: source.port)
    } else if remote == relayAddress {
      if let answer = answer(bytes, from: source) {
        takeIn(answer, from: remote, to: source.port)
      }
    } else if let owner = allocated.first(where: { $0.relayed == remote })?.client,
      !isRelayShut, permitted.contains(source.ip)
    {
      var message = StunMessage(
        .indication, method: .data, transactionID: suite.randomBytes(12),
        attributes: [.xorPeerAddress(source), .data(bytes)])
      message.hasFingerprint = false
      takeIn(message.encoded, from: relayAddress, to: owner.port)
    }
  }

  private func outside(_ port: UInt16, to remote: SocketAddress) -> SocketAddress {
    if mapping == .untranslated { return SocketAddress(own, port: port) }
    let known = mapped.first {
      $0.port == port && (mapping == .independent || $0.remote == remote)
    }
    if let known { return SocketAddress(Self.router, port: known.outside) }
    let outside = UInt16(60_000 + mapped.count)
    mapped.append((port, remote, outside))
    return SocketAddress(Self.router, port: outside)
  }

  private func takeIn(_ bytes: [UInt8], from source: SocketAddress, to port: UInt16) {
    let isUntranslated = mapping == .untranslated
    let entry = mapped.first { $0.outside == port }
    guard let inside = isUntranslated ? port : entry?.port else { return }
    let known = sentTo.contains {
      guard $0.port == inside, mapping != .dependent || $0.remote == entry?.remote else {
        return false
      }
      switch filtering {
      case .none: return true
      case .byAddress: return $0.remote.ip == source.ip
      case .byPort: return $0.remote == source
      }
    }
    guard known, let index = Self.ports.firstIndex(of: inside) else { return }
    let isCrossed = crossesSockets && allocated.contains { $0.relayed == source }
    later(.datagram(bytes, from: source, on: SocketID(isCrossed ? 1 - index : index)))
  }

  // MARK: The relay

  private func answer(_ bytes: [UInt8], from client: SocketAddress) -> [UInt8]? {
    guard let received = try? StunMessage.Received(bytes) else { return nil }
    let request = received.message
    if request.kind == .indication {
      forward(request, from: client)
      return nil
    }
    let known = credentials(isSecretWrong ? "another" : Self.secret)
    let key = suite.md5(known.username + Array(":example.org:".utf8) + known.password)
    guard let integrity = request.integrity,
      integrity == suite.hmacSHA1(key: key, received.covered)
    else {
      return StunMessage(
        .error, method: request.method, transactionID: request.transactionID,
        attributes: [
          .errorCode(401, reason: []), .realm(Array("example.org".utf8)), .nonce([1, 2]),
        ]
      ).encoded
    }
    var attributes: [StunAttribute] = []
    switch request.method {
    case .allocate:
      let isV6 = request.attributes.contains(.requestedAddressFamily(.v6))
      askedFamilies.append(isV6 ? .v6 : .v4)
      if lacksRelayV4, !isV6 { return refusal(of: request, 440, key) }
      let ip = isV6 || relayAddress.ip.isV4 ? relayAddress.ip : Self.relay.ip
      let relayed = SocketAddress(ip, port: UInt16(50_000 + allocated.count))
      allocated.append((relayed, client))
      allocations += 1
      attributes = [.xorRelayedAddress(relayed), .lifetime(600)]
      if !isRelayDiscreet { attributes.append(.xorMappedAddress(client)) }
    case .refresh:
      if request.attributes.contains(.lifetime(0)) { released += 1 }
      attributes = [.lifetime(0)]
    case .createPermission where isRelayRefusing: return refusal(of: request, 403, key)
    default:
      for case .xorPeerAddress(let peer) in request.attributes { permitted.append(peer.ip) }
    }
    return StunMessage(
      .success, method: request.method, transactionID: request.transactionID,
      attributes: attributes
    ).signed { suite.hmacSHA1(key: key, $0) }.encoded
  }

  private func refusal(of request: StunMessage, _ code: Int, _ key: [UInt8]) -> [UInt8] {
    StunMessage(
      .error, method: request.method, transactionID: request.transactionID,
      attributes: [.errorCode(code, reason: [])]
    ).signed { suite.hmacSHA1(key: key, $0) }.encoded
  }

  private func forward(_ message: StunMessage, from client: SocketAddress) {
    guard let relayed = allocated.first(where: { $0.client == client })?.relayed, !isRelayShut
    else { return }
    var (peer, data): (SocketAddress?, [UInt8]?)
    for attribute in message.attributes {
      if case .xorPeerAddress(let address) = attribute { peer = address }
      if case .data(let bytes) = attribute { data = bytes }
    }
    guard let peer, let data, permitted.contains(peer.ip) else { return }
    takeIn(data, from: relayed, to: peer.port)
  }
}
