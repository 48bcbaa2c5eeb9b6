import Units

/// When which of a peer's TCP candidates is dialled.
///
/// However often the peer tells new addresses, dials are spaced, and those to addresses that it told
/// no more are given up: a member must not have us knock at doors of others.
struct Dialing {
  private struct Target {
    let address: SocketAddress
    /// The connection that is being made, or was made.
    var stream: StreamID?
    /// When to dial, while there is none; else when it was.
    var dialAt: Instant
    var pause = Dialing.firstPause
    /// How the last connection ended that was not proved.
    var failure: Failure?
  }
  private enum Failure {
    case dial(DialFailure)
    case handshake(HandshakeFailure)
  }
  struct Dial {
    enum State {
      case waiting
      case dialing
      case connected
      case failed(DialFailure)
      case handshakeFailed(HandshakeFailure)
    }
    let address: SocketAddress
    let state: State
  }
  private var targets: [Target] = []
  private var pace = BurstPacer(burst: 2 * CandidateRules.dialLimit, interval: .milliseconds(500))
  private static let firstPause = Interval.seconds(1)
  private static let longestPause = Interval.seconds(30)
  private static let pauseAfterProof = Interval.milliseconds(100)

  /// Targets that stay keep their connections; new ones are due at once. Returns the connections,
  /// made or being made, of targets that went.
  mutating func setTargets(_ addresses: [SocketAddress], at now: Instant) -> [StreamID] {
    let known = targets
    targets = addresses.prefix(CandidateRules.dialLimit).map { address in
      known.first { $0.address == address } ?? Target(address: address, dialAt: now)
    }
    let kept = targets.map(\.address)
    return known.filter { !kept.contains($0.address) }.compactMap(\.stream)
  }

  /// An address to dial now, as `stream`.
  mutating func nextDial(at now: Instant, as stream: StreamID) -> SocketAddress? {
    guard let due = targets.firstIndex(where: { $0.stream == nil && $0.dialAt <= now }),
      pace.take(at: now)
    else { return nil }
    targets[due].stream = stream
    targets[due].dialAt = now
    return targets[due].address
  }

  /// What this connection, now made, leads to.
  func connection(_ stream: StreamID, at now: Instant) -> HandshakeQueue.Connection? {
    targets.first { $0.stream == stream }.map { target in
      HandshakeQueue.Connection(
        stream: stream, farEnd: target.address, connectTime: now - target.dialAt)
    }
  }

  func dials(where isConnected: (StreamID) -> Bool) -> [Dial] {
    targets.map { target in
      let state: Dial.State =
        if let stream = target.stream, isConnected(stream) {
          .connected
        } else {
          switch target.failure {
          case .dial(let failure): .failed(failure)
          case .handshake(let failure): .handshakeFailed(failure)
          case nil: target.stream == nil ? .waiting : .dialing
          }
        }
      return Dial(address: target.address, state: state)
    }
  }

  /// This connection could not be made.
  mutating func fail(_ stream: StreamID, _ reason: DialFailure, at now: Instant) {
    if let index = targets.firstIndex(where: { $0.stream == stream }) {
      targets[index].failure = .dial(reason)
    }
    end(stream, at: now)
  }

  /// What went wrong on this connection, before it is ended.
  mutating func note(_ failure: HandshakeFailure, on stream: StreamID) {
    if let index = targets.firstIndex(where: { $0.stream == stream }) {
      targets[index].failure = .handshake(failure)
    }
  }

  /// This connection failed, or ended.
  mutating func end(_ stream: StreamID, at now: Instant) {
    guard let index = targets.firstIndex(where: { $0.stream == stream }) else { return }
    targets[index].stream = nil
    targets[index].dialAt = now + targets[index].pause
    targets[index].pause = min(targets[index].pause * 2, Self.longestPause)
  }

  /// This connection has carried the call, and ended: another is likely to do so too.
  mutating func endProved(_ stream: StreamID, at now: Instant) {
    guard let index = targets.firstIndex(where: { $0.stream == stream }) else { return }
    targets[index].stream = nil
    targets[index].dialAt = now + Self.pauseAfterProof
    targets[index].pause = Self.firstPause
  }

  /// This connection stays, but has gone silent: another may be dialled beside it.
  mutating func release(_ stream: StreamID, at now: Instant) {
    guard let index = targets.firstIndex(where: { $0.stream == stream }) else { return }
    targets[index].stream = nil
    targets[index].dialAt = now
    targets[index].pause = Self.firstPause
  }

  /// Gives up those connections that are made in vain: their targets are due at once.
  mutating func abandon(
    where isVain: (StreamID) -> Bool, at now: Instant
  ) -> [StreamID] {
    var abandoned: [StreamID] = []
    for index in targets.indices {
      guard let stream = targets[index].stream, isVain(stream) else { continue }
      abandoned.append(stream)
      release(stream, at: now)
    }
    return abandoned
  }

  /// There is new reason to hope.
  mutating func hasten(at now: Instant) {
    for index in targets.indices {
      targets[index].pause = Self.firstPause
      targets[index].dialAt = min(targets[index].dialAt, now)
    }
  }

  var nextDial: Instant? {
    let dialAt = targets.filter { $0.stream == nil }.map(\.dialAt).min()
    return dialAt.map { max($0, pace.readyAt) }
  }
}
