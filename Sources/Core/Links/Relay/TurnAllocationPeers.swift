import Ciphers
import Units
import Wire

/// That an address may send to the relayed address, and be sent to (RFC 8656 §9).
struct TurnPermission: Sendable {
  let ip: IPAddress
  var lease = TurnLease()

  static let lifetime = Interval.seconds(300)
}

/// A number that stands for a peer (RFC 8656 §12).
struct TurnChannel: Sendable {
  let number: UInt16
  let peer: SocketAddress
  var lease = TurnLease()

  static let lifetime = Interval.seconds(600)
}

/// Peers: what goes to them and comes from them.
extension TurnAllocation {
  /// As many as candidates of several peers; more addresses are not sent to.
  static let peerLimit = 256
  /// Before a request that failed, or was never answered, is made again for the same peer.
  static let refusalPause = Interval.seconds(30)
  static let silencePause = Interval.seconds(1)

  mutating func send(_ bytes: [UInt8], to peer: SocketAddress, at now: Instant) {
    guard case .allocated = phase, bytes.count <= Self.datagramLimit,
      peer.ip.isV4 == (family == .v4), let permission = permission(of: peer.ip, at: now),
      !permissions[permission].lease.isRefused
    else {
      counters.dropped += 1
      return
    }
    permissions[permission].lease.use()
    var channel = channels.firstIndex { $0.peer == peer }
    // Checks go to many addresses, and are few for each: only what follows them is worth a channel.
    if channel == nil, !StunMessage.isStun(bytes) { channel = bind(peer, at: now) }
    if let channel {
      channels[channel].lease.use()
      if channels[channel].lease.isGranted(at: now) {
        let message = ChannelData(channel: channels[channel].number, data: bytes)
        return transmit(carrier == .stream ? message.padded : message.encoded, at: now)
      }
    }
    // Behind the request for a permission, so that it need not wait for the answer.
    var message = StunMessage(
      .indication, method: .send, transactionID: ciphers.randomBytes(12),
      attributes: [.xorPeerAddress(peer), .data(bytes)])
    message.hasFingerprint = false
    transmit(message.encoded, at: now)
  }

  /// There is one, or one is being asked for; `nil` when there are too many.
  private mutating func permission(of ip: IPAddress, at now: Instant) -> Int? {
    if let known = permissions.firstIndex(where: { $0.ip == ip }) { return known }
    guard permissions.count < Self.peerLimit else { return nil }
    permissions.append(TurnPermission(ip: ip))
    permissions[permissions.count - 1].lease.ask()
    begin(.permission(ip), at: now)
    return permissions.firstIndex { $0.ip == ip }
  }

  /// `nil` when there are too many: numbers are not used twice, as one may be bound to another peer
  /// only five minutes after its end (RFC 8656 §12.1).
  private mutating func bind(_ peer: SocketAddress, at now: Instant) -> Int? {
    guard channels.count < Self.peerLimit, ChannelData.channels.contains(nextChannel) else {
      return nil
    }
    let number = nextChannel
    nextChannel += 1
    channels.append(TurnChannel(number: number, peer: peer))
    channels[channels.count - 1].lease.ask()
    begin(.channel(number), at: now)
    return channels.firstIndex { $0.number == number }
  }

  /// Asks again for what is used, and forgets what is not.
  mutating func keepLeases(at now: Instant) {
    permissions.removeAll { $0.lease.isOver(at: now) }
    channels.removeAll { $0.lease.isOver(at: now) }
    for index in permissions.indices where permissions[index].lease.isDue(at: now) {
      permissions[index].lease.ask()
      begin(.permission(permissions[index].ip), at: now)
    }
    for index in channels.indices where channels[index].lease.isDue(at: now) {
      channels[index].lease.ask()
      begin(.channel(channels[index].number), at: now)
    }
  }

  // MARK: What comes from peers

  mutating func receive(_ message: ChannelData) {
    // From the request on: its answer may be lost, or come later than the data.
    guard let channel = channels.first(where: { $0.number == message.channel }) else {
      counters.unpermitted += 1
      return
    }
    outputs.append(.received(message.data, from: channel.peer))
  }

  /// A Data indication (RFC 8656 §11.4). It is not signed: only the address tells whether it was
  /// asked for.
  mutating func receiveData(_ message: StunMessage) {
    var peer: SocketAddress?
    var data: [UInt8]?
    for attribute in message.attributes {
      switch attribute {
      case .xorPeerAddress(let address): peer = peer ?? address
      case .data(let bytes): data = data ?? bytes
      default: break
      }
    }
    guard let peer, let data else {
      counters.foreign += 1
      return
    }
    guard permissions.contains(where: { $0.ip == peer.ip && !$0.lease.isRefused }) else {
      counters.unpermitted += 1
      return
    }
    outputs.append(.received(data, from: peer))
  }
}
