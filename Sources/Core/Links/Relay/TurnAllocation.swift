package import Ciphers
package import Units
package import Wire

/// One relayed address on one server, over one carrier: the client of TURN (RFC 8656).
///
/// It asks at once. Call `handle`, drain `nextOutput()` until `nil`, and call `handle(.timeout, …)`
/// when `nextDeadline` has come. TLS, where the carrier has it, is the caller's.
package struct TurnAllocation {
  package enum Carrier: Hashable, Sendable {
    /// UDP: each input and output is a datagram, requests are repeated.
    case datagrams
    /// TCP, or what TLS protects: inputs are any part of the stream.
    case stream
  }
  package enum Input: Sendable {
    /// From the server.
    case received([UInt8])
    /// A datagram to a peer, from the relayed address.
    case send([UInt8], to: SocketAddress)
    /// The way to the server may have changed: is the allocation still ours?
    case check
    /// Give the relayed address back. `.closed` follows within half a second.
    case close
    case timeout
  }
  package enum Output: Sendable {
    /// To the server.
    case transmit([UInt8])
    /// `relayed` is ours from now on, and no other; `mapped` is ours as the server sees it.
    case allocated(relayed: SocketAddress, mapped: SocketAddress?)
    /// A peer's datagram to the relayed address.
    case received([UInt8], from: SocketAddress)
    /// The server lets nothing to and from this peer: 403, or another code. Others are as before.
    case refused(IPAddress, code: Int)
    /// There is no allocation, nor will there be. Nothing follows.
    case failed(TurnFailure)
    case closed
  }
  enum Phase: Sendable {
    case asking
    case allocated
    /// Until the server has said that it has let go, or then.
    case closing(until: Instant)
    case over
  }

  let carrier: Carrier
  let family: StunFamily
  let ciphers: any CipherSuite
  var credential: LongTermCredential
  var phase = Phase.asking
  var transactions: [TurnTransaction] = []
  var splitter = TurnSplitter()
  /// The address that is ours.
  var relayed: SocketAddress?
  var allocatedAt = Instant.zero
  var refreshAt = Instant.zero
  var expiresAt = Instant.zero
  /// Why the last refresh did not come about.
  var refreshFailure: TurnFailure?
  var permissions: [TurnPermission] = []
  var channels: [TurnChannel] = []
  var nextChannel = ChannelData.channels.lowerBound
  /// When something last went to the server.
  var sentAt: Instant
  package internal(set) var counters = TurnCounters()
  var outputs = OutputQueue<Output>()

  /// Seconds. An allocation that ends sooner would have to be refreshed all the time.
  package static let leastLifetime: UInt32 = 30
  /// Seconds; RFC 8656 §3.2's default, and the most that is believed.
  static let wantedLifetime: UInt32 = 600
  static let longestLifetime: UInt32 = 3_600
  /// A refresh begins so long before the end: eight seconds' silence must not cost it.
  static let refreshMargin = Interval.seconds(60)
  static let refreshPause = Interval.seconds(5)
  /// An allocation lost sooner than so after it was made is not asked for again.
  static let reallocationPause = Interval.seconds(10)
  static let closingTime = Interval.milliseconds(500)
  /// NATs on the way to the server forget who is silent for 30 s (RFC 8445 §11 asks for 15).
  static let keepalivePause = Interval.seconds(15)
  /// Bytes to a peer: more crosses no path in one piece, and media keep to 1 200.
  static let datagramLimit = 1_500

  package init(
    over carrier: Carrier, family: StunFamily = .v4, credentials: TurnCredentials,
    ciphers: any CipherSuite, at now: Instant
  ) {
    self.carrier = carrier
    self.family = family
    self.ciphers = ciphers
    credential = LongTermCredential(credentials, ciphers: ciphers)
    sentAt = now
    begin(.allocate, at: now)
  }

  package mutating func nextOutput() -> Output? { outputs.next() }

  package mutating func handle(_ input: Input, at now: Instant) {
    switch input {
    case .received(let bytes): receive(bytes, at: now)
    case .send(let bytes, let peer): send(bytes, to: peer, at: now)
    case .check:
      if case .allocated = phase, !isRefreshing { begin(.refresh(ending: false), at: now) }
    case .close: close(at: now)
    case .timeout: break
    }
    keepTime(at: now)
  }

  package var nextDeadline: Deadline? {
    var deadline: Deadline?
    switch phase {
    case .over: return nil
    case .closing(let until): deadline = Deadline("turn close", at: until)
    case .asking: break
    case .allocated:
      deadline = Deadline("turn refresh", at: isRefreshing ? expiresAt : min(refreshAt, expiresAt))
      deadline = .earlier(deadline, Deadline("turn keepalive", at: sentAt + Self.keepalivePause))
    }
    for transaction in transactions {
      deadline = .earlier(deadline, Deadline("turn request", at: transaction.dueAt))
    }
    for permission in permissions {
      guard let at = permission.lease.deadline else { continue }
      deadline = .earlier(deadline, Deadline("turn permission", at: at))
    }
    for channel in channels {
      guard let at = channel.lease.deadline else { continue }
      deadline = .earlier(deadline, Deadline("turn channel", at: at))
    }
    return deadline
  }

  private var isRefreshing: Bool {
    transactions.contains { $0.purpose == .refresh(ending: false) }
  }

  // MARK: Requests

  mutating func begin(
    _ purpose: TurnTransaction.Purpose, isSecondTry: Bool = false, at now: Instant
  ) {
    var message = StunMessage(
      .request, method: purpose.method, transactionID: ciphers.randomBytes(12), attributes: [])
    message.hasFingerprint = false
    switch purpose {
    case .allocate:
      message.attributes = [.requestedTransport(17), .lifetime(Self.wantedLifetime)]
      // IPv4 is what a server takes it for when it isn't there (RFC 8656 §7.1).
      if family == .v6 { message.attributes.append(.requestedAddressFamily(.v6)) }
    case .refresh(let ending):
      message.attributes = [.lifetime(ending ? 0 : Self.wantedLifetime)]
    case .permission(let ip):
      message.attributes = [.xorPeerAddress(SocketAddress(ip, port: 0))]
    case .channel(let number):
      guard let channel = channels.first(where: { $0.number == number }) else { return }
      message.attributes = [.channelNumber(number), .xorPeerAddress(channel.peer)]
    }
    transactions.append(
      TurnTransaction(
        purpose, credential.signed(message), isSecondTry: isSecondTry,
        repeats: carrier == .datagrams, at: now))
    proceed(at: now)
  }

  /// Sends what is due, and gives up what was never answered.
  private mutating func proceed(at now: Instant) {
    var unanswered: [TurnTransaction] = []
    for index in transactions.indices where transactions[index].dueAt <= now {
      if transactions[index].send(at: now) {
        transmit(transactions[index].bytes, at: now)
      } else {
        unanswered.append(transactions[index])
      }
    }
    guard !unanswered.isEmpty else { return }
    transactions.removeAll { transaction in
      unanswered.contains { $0.transactionID == transaction.transactionID }
    }
    for transaction in unanswered { giveUp(transaction, at: now) }
  }

  mutating func transmit(_ bytes: [UInt8], at now: Instant) {
    sentAt = now
    outputs.append(.transmit(bytes))
  }

  // MARK: Time

  private mutating func keepTime(at now: Instant) {
    if case .closing(let until) = phase, until <= now { end(.closed) }
    if case .over = phase { return }
    proceed(at: now)
    guard case .allocated = phase else { return }
    if expiresAt <= now {
      return end(.failed(refreshFailure ?? .noAnswer(.refresh)))
    }
    if refreshAt <= now, !isRefreshing { begin(.refresh(ending: false), at: now) }
    keepLeases(at: now)
    if sentAt + Self.keepalivePause <= now {
      var message = StunMessage(
        .indication, transactionID: ciphers.randomBytes(12), attributes: [])
      message.hasFingerprint = false
      transmit(message.encoded, at: now)
    }
  }

  private mutating func close(at now: Instant) {
    switch phase {
    case .over, .closing: return
    case .asking, .allocated: break
    }
    // Where an Allocate is on its way the server may have granted it already.
    guard credential.isChallenged else { return end(.closed) }
    forgetAll()
    phase = .closing(until: now + Self.closingTime)
    begin(.refresh(ending: true), at: now)
  }

  mutating func end(_ output: Output) {
    forgetAll()
    phase = .over
    outputs.append(output)
  }

  /// Everything that belongs to an allocation.
  mutating func forgetAll() {
    transactions = []
    permissions = []
    channels = []
    relayed = nil
  }
}

/// What was dropped, and why. Counts only rise.
package struct TurnCounters: Hashable, Sendable {
  /// From the server: neither STUN nor channel data, or nothing that was asked for.
  package var foreign = 0
  /// Answers that were not signed with our password.
  package var unauthentic = 0
  /// Data of peers that we have no permission or channel for.
  package var unpermitted = 0
  /// Our own datagrams: no allocation, a refused peer or one of the other family, too long.
  package var dropped = 0

  package init() {}
}
