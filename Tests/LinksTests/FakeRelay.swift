import Links
import Units
import Wire

/// A TURN server of one client that tells what it was asked, and lies where it is told to.
struct FakeRelay {
  var realm = Array("example.org".utf8)
  var nonce = Array("first".utf8)
  var algorithms: [StunPasswordAlgorithm]?
  var credentials = TurnCredentials(
    username: Array("1:a".utf8), password: Array("secret".utf8))!
  var relayed = SocketAddress(.v4(192, 0, 2, 50), port: 50_000)
  /// Named before it.
  var namedBefore: [SocketAddress] = []
  var lifetime: UInt32? = 600
  /// Refused, signed, in place of being served.
  var refusals: [StunMessage.Method: [StunAttribute]] = [:]
  var forbidden: [IPAddress] = []
  /// Has no address of IPv4 to give.
  var lacksV4 = false
  /// Answers are not signed.
  var isUnsigned = false
  /// Says nothing.
  var isSilent = false

  private(set) var requests: [StunMessage] = []
  /// What reached peers.
  private(set) var delivered: [(peer: SocketAddress, data: [UInt8], isByChannel: Bool)] = []
  /// Data for peers without a permission.
  private(set) var undelivered = 0
  private(set) var keepalives = 0
  private(set) var hasAllocation = false
  private var permitted: [IPAddress] = []
  private(set) var channels: [(number: UInt16, peer: SocketAddress)] = []
  private var answered: [[UInt8]: [UInt8]] = [:]

  func count(_ method: StunMessage.Method) -> Int {
    requests.filter { $0.method == method }.count
  }

  /// Forgets everything, as a server does that was started again.
  mutating func restart() {
    hasAllocation = false
    permitted = []
    channels = []
    answered = [:]
  }

  /// The answer to one whole message.
  mutating func receive(_ bytes: [UInt8]) -> [UInt8]? {
    if ChannelData.isChannelData(bytes) {
      guard let message = try? ChannelData(datagram: bytes),
        let channel = channels.first(where: { $0.number == message.channel })
      else { return nil }
      delivered.append((channel.peer, message.data, true))
      return nil
    }
    guard let received = try? StunMessage.Received(bytes) else { return nil }
    let message = received.message
    guard message.kind == .request else {
      receiveIndication(message)
      return nil
    }
    guard !isSilent else { return nil }
    if let again = answered[message.transactionID] { return again }
    requests.append(message)
    let answer = answer(to: received).encoded
    answered[message.transactionID] = answer
    return answer
  }

  /// What the client gets of a peer's datagram; `nil` where it permits none of his.
  func wrapped(_ data: [UInt8], from peer: SocketAddress, padded: Bool) -> [UInt8]? {
    guard permitted.contains(peer.ip) else { return nil }
    if let channel = channels.first(where: { $0.peer == peer }) {
      let message = ChannelData(channel: channel.number, data: data)
      return padded ? message.padded : message.encoded
    }
    var message = StunMessage(
      .indication, method: .data, transactionID: [UInt8](repeating: 5, count: 12),
      attributes: [.xorPeerAddress(peer), .data(data)])
    message.hasFingerprint = false
    return message.encoded
  }

  private mutating func receiveIndication(_ message: StunMessage) {
    guard message.method == .send else {
      keepalives += 1
      return
    }
    guard let peer = message.peer, let data = message.data, permitted.contains(peer.ip) else {
      undelivered += 1
      return
    }
    delivered.append((peer, data, false))
  }

  private mutating func answer(to received: StunMessage.Received) -> StunMessage {
    let request = received.message
    let nonce = request.attributes.lazy.compactMap {
      if case .nonce(let value) = $0 { value } else { nil }
    }.first
    guard let nonce, isAuthentic(received) else { return challenge(request, 401) }
    guard nonce == self.nonce else { return challenge(request, 438) }
    if let refusal = refusals[request.method] { return signed(request, .error, refusal) }
    switch request.method {
    case .allocate:
      guard !hasAllocation else { return refused(request, 437) }
      if lacksV4, !request.attributes.contains(.requestedAddressFamily(.v6)) {
        return refused(request, 440)
      }
      hasAllocation = true
      return signed(
        request, .success,
        namedBefore.map(StunAttribute.xorRelayedAddress) + [
          .xorRelayedAddress(relayed),
          .xorMappedAddress(SocketAddress(.v4(198, 51, 100, 7), port: 7_000)),
        ] + lifetimeAttribute)
    case _ where !hasAllocation: return refused(request, 437)
    case .refresh:
      if request.attributes.contains(.lifetime(0)) { hasAllocation = false }
      return signed(request, .success, lifetimeAttribute)
    case .createPermission:
      guard let peer = request.peer, !forbidden.contains(peer.ip) else {
        return refused(request, 403)
      }
      permitted.append(peer.ip)
    case .channelBind:
      guard let peer = request.peer, let number = request.channel else {
        return refused(request, 400)
      }
      channels.append((number, peer))
    default: return refused(request, 400)
    }
    return signed(request, .success, [])
  }

  private var lifetimeAttribute: [StunAttribute] { lifetime.map { [.lifetime($0)] } ?? [] }

  private func challenge(_ request: StunMessage, _ code: Int) -> StunMessage {
    StunMessage(
      .error, method: request.method, transactionID: request.transactionID,
      attributes: [.errorCode(code, reason: []), .realm(realm), .nonce(nonce)]
        + (algorithms.map { [.passwordAlgorithms($0)] } ?? []))
  }

  private func refused(_ request: StunMessage, _ code: Int) -> StunMessage {
    signed(request, .error, [.errorCode(code, reason: Array("no".utf8))])
  }

  private func signed(
    _ request: StunMessage, _ kind: StunMessage.Class, _ attributes: [StunAttribute]
  ) -> StunMessage {
    let message = StunMessage(
      kind, method: request.method, transactionID: request.transactionID, attributes: attributes)
    if isUnsigned { return message }
    return message.signed(by: algorithms == nil ? .sha1 : .sha256) { code($0) }
  }

  private func isAuthentic(_ received: StunMessage.Received) -> Bool {
    received.message.integrity == code(received.covered)
      && (algorithms == nil) == (received.message.integrity?.count == 20)
  }

  private func code(_ bytes: [UInt8]) -> [UInt8] {
    let ciphers = FakeCiphers(seed: 0)
    let text = credentials.username + [58] + realm + [58] + credentials.password
    let key = algorithms?.first == .sha256 ? ciphers.sha256(text) : ciphers.md5(text)
    return algorithms == nil
      ? ciphers.hmacSHA1(key: key, bytes) : ciphers.hmacSHA256(key: key, bytes)
  }
}

extension StunMessage {
  var peer: SocketAddress? {
    attributes.lazy.compactMap { if case .xorPeerAddress(let peer) = $0 { peer } else { nil } }
      .first
  }
  var data: [UInt8]? {
    attributes.lazy.compactMap { if case .data(let data) = $0 { data } else { nil } }.first
  }
  var channel: UInt16? {
    attributes.lazy.compactMap { if case .channelNumber(let number) = $0 { number } else { nil } }
      .first
  }
}

/// An allocation and its relay in virtual time, without delay between them.
final class RelayLab {
  var relay = FakeRelay()
  private(set) var allocation: TurnAllocation
  private(set) var now = Instant.zero + .seconds(100)
  /// When what left, since the beginning.
  private(set) var sent: [(at: Instant, bytes: [UInt8])] = []
  /// Nothing gets to the relay or from it.
  var isCut = false
  /// So many of the relay's next answers get lost.
  var answersToLose = 0

  private(set) var relayedAddresses: [SocketAddress] = []
  private(set) var mapped: SocketAddress?
  private(set) var received: [(data: [UInt8], peer: SocketAddress)] = []
  private(set) var refused: [IPAddress] = []
  private(set) var failure: TurnFailure?
  private(set) var isClosed = false
  private let carrier: TurnAllocation.Carrier
  private var splitter = TurnSplitter()

  init(
    _ carrier: TurnAllocation.Carrier = .datagrams, family: StunFamily = .v4,
    password: String = "secret", _ prepare: (inout FakeRelay) -> Void = { _ in }
  ) {
    self.carrier = carrier
    prepare(&relay)
    allocation = TurnAllocation(
      over: carrier, family: family,
      credentials: TurnCredentials(
        username: Array("1:a".utf8), password: Array(password.utf8))!,
      ciphers: FakeCiphers(seed: 7), at: now)
    settle()
  }

  func handle(_ input: TurnAllocation.Input) {
    allocation.handle(input, at: now)
    settle()
  }

  func send(_ data: [UInt8], to peer: SocketAddress) { handle(.send(data, to: peer)) }

  /// From now on nothing gets through but this error in answer to a refresh, signed by `code` if at all.
  func refuseRefresh(
    _ attributes: [StunAttribute], signedBy code: (([UInt8]) -> [UInt8])? = nil
  ) throws {
    isCut = true
    handle(.check)
    let request = try StunMessage(decoding: sent.last!.bytes)
    let answer = StunMessage(
      .error, method: .refresh, transactionID: request.transactionID, attributes: attributes)
    deliver((code.map { answer.signed($0) } ?? answer).encoded)
  }

  /// As if the relay had sent it.
  func deliver(_ bytes: [UInt8]) { handle(.received(bytes)) }

  /// Everything that is due until then. `nil` when the allocation wants to be called without end.
  func run(for interval: Interval) {
    let end = now + interval
    var turns = 0
    while let deadline = allocation.nextDeadline, deadline.at <= end {
      turns += 1
      precondition(turns < 100_000, "\(deadline.timer) comes again and again")
      precondition(deadline.at >= now, "\(deadline.timer) is in the past")
      now = deadline.at
      handle(.timeout)
    }
    now = end
  }

  private func settle() {
    while let output = allocation.nextOutput() {
      switch output {
      case .transmit(let bytes):
        sent.append((now, bytes))
        if !isCut { pass(bytes) }
      case .allocated(let relayed, let mapped):
        relayedAddresses.append(relayed)
        self.mapped = mapped
      case .received(let data, let peer): received.append((data, peer))
      case .refused(let ip, _): refused.append(ip)
      case .failed(let failure): self.failure = failure
      case .closed: isClosed = true
      }
    }
  }

  private func pass(_ bytes: [UInt8]) {
    var messages = [bytes]
    if carrier == .stream {
      splitter.push(bytes)
      messages = []
      while let message = try? splitter.next() { messages.append(message) }
    }
    for message in messages {
      guard let answer = relay.receive(message) else { continue }
      if answersToLose > 0 {
        answersToLose -= 1
      } else {
        allocation.handle(.received(answer), at: now)
      }
    }
  }
}
