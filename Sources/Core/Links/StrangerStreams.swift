import Units
import Wire

/// Accepted TCP connections that haven't said who they are, or whose box hasn't come: few, for a
/// short time, and not more of them a second than their handshakes may cost.
struct StrangerStreams {
  struct Named {
    let stream: StreamID
    let source: SocketAddress
    let session: SessionID
    let link: PeerLink
  }
  private struct Stranger {
    let stream: StreamID
    let source: SocketAddress
    let link: PeerLink
    var session: SessionID?
    var until: Instant
  }
  private let configuration: LinkHubConfiguration
  private var strangers: [Stranger] = []
  private var outputs = OutputQueue<LinkHubOutput>()
  private var pace = BurstPacer(burst: limit, interval: .milliseconds(50))

  private static let limit = 32
  /// For HELLO, and once more for its box (docs/protocol.md).
  private static let patience = Interval.seconds(5)

  init(_ configuration: LinkHubConfiguration) { self.configuration = configuration }

  /// `.write` and `.hangUp` only.
  mutating func nextOutput() -> LinkHubOutput? { outputs.next() }

  /// False when there are too many, or they come too often.
  mutating func accept(_ stream: StreamID, from source: SocketAddress, at now: Instant) -> Bool {
    guard strangers.count < Self.limit, pace.take(at: now) else { return false }
    strangers.append(
      Stranger(
        stream: stream, source: source,
        link: PeerLink(
          configuration, id: .stream(stream), role: .server, expecting: nil, at: now),
        until: now + Self.patience))
    advance(at: now)
    return true
  }

  func owns(_ stream: StreamID) -> Bool { strangers.contains { $0.stream == stream } }

  mutating func receive(_ bytes: [UInt8], on stream: StreamID, at now: Instant) {
    guard let index = strangers.firstIndex(where: { $0.stream == stream }) else { return }
    strangers[index].link.receive(bytes, at: now)
    advance(at: now)
  }

  mutating func handleClosed(_ stream: StreamID) { remove(stream) }

  /// Those that wait for a box.
  var named: [Named] {
    strangers.compactMap { stranger in
      stranger.session.map {
        Named(
          stream: stranger.stream, source: stranger.source, session: $0, link: stranger.link)
      }
    }
  }

  mutating func remove(_ stream: StreamID) { strangers.removeAll { $0.stream == stream } }

  mutating func closeAll() {
    for stranger in strangers { outputs.append(.hangUp(stranger.stream)) }
    strangers = []
  }

  mutating func handleTimeout(at now: Instant) {
    for index in strangers.indices { strangers[index].link.handleTimeout(at: now) }
    advance(at: now)
  }

  func nextDeadline(at now: Instant) -> Deadline? {
    var deadline: Deadline?
    for stranger in strangers {
      deadline = .earlier(deadline, stranger.link.nextDeadline(at: now))
      deadline = .earlier(deadline, Deadline("stranger", at: stranger.until))
    }
    return deadline
  }

  private mutating func advance(at now: Instant) {
    for index in strangers.indices {
      while let output = strangers[index].link.nextOutput() {
        switch output {
        case .transmit(let bytes): outputs.append(.write(bytes, strangers[index].stream))
        case .named(let session):
          strangers[index].session = session
          strangers[index].until = now + Self.patience
        case .proved, .frame, .select, .clock, .invalidFrame, .ended: break
        }
      }
    }
    for stranger in strangers where stranger.link.state == .ended || stranger.until <= now {
      outputs.append(.hangUp(stranger.stream))
    }
    strangers.removeAll { $0.link.state == .ended || $0.until <= now }
  }
}
