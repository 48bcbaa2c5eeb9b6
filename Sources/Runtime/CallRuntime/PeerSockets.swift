import CLinux
import Call
import Links
import Runtime
import Units

/// The sockets to peers: one UDP socket and one TCP listener for each address family, and every
/// stream that was dialled or accepted. Only the network thread uses it.
final class PeerSockets {
  private let loop: EventLoop
  private let doors: PeerDoors
  private let feed: (ConferenceInput) -> Void
  private var datagramSockets: [(id: SocketID, socket: UDPSocket)] = []
  private var listeners: [(listener: TCPListener, token: EventLoop.Token)] = []
  private let acceptNext: (TCPListener) -> TCPListener.Accepted
  private let log: (CallNotice) -> Void
  /// Out of descriptors: when accepting is tried again.
  private var acceptsAgain: Instant?
  private var addressWatch: AddressWatch?
  /// Addresses have changed: when they are looked at.
  private var looksAt: Instant?
  private var announced: [LocalEndpoint]?
  private var streams: [StreamID: OpenStream] = [:]
  private var lastAccepted: UInt64 = 0

  /// Streams that wait for their HELLO are bounded by the hub; this bounds descriptors.
  private static let streamLimit = 256
  private static let acceptPause = Interval.milliseconds(200)
  /// A network that comes up brings one change after another.
  private static let settlingTime = Interval.milliseconds(100)
  /// For what was written to leave, after a connection was hung up.
  private static let closingTime = Interval.seconds(2)

  private struct OpenStream {
    var stream: TCPStream
    var token: EventLoop.Token
    var backlog = 0
    /// Hung up: close when what was written has left, or then, if nobody reads it.
    var closesAt: Instant?
    var isClosing: Bool { closesAt != nil }
  }

  /// `accept` is for tests.
  init(
    loop: EventLoop, doors: PeerDoors = PeerDoors(),
    log: @escaping (CallNotice) -> Void = { _ in },
    accept: @escaping (TCPListener) -> TCPListener.Accepted = { $0.accept() },
    feed: @escaping (ConferenceInput) -> Void
  ) {
    self.loop = loop
    self.doors = doors
    self.log = log
    acceptNext = accept
    self.feed = feed
  }

  /// Binds both families; one that this computer lacks is left out. Throws if none works.
  func open() throws(SystemError) {
    var failure: SystemError?
    for (number, ip) in [IPAddress.v4(0, 0, 0, 0), .unspecifiedV6].enumerated() {
      do {
        let socket = try UDPSocket(boundTo: SocketAddress(ip, port: 0), on: doors.interface)
        let id = SocketID(number)
        _ = try loop.watch(socket.fileDescriptor, for: .readable) { [unowned self] _ in
          receive(on: socket, id)
        }
        datagramSockets.append((id, socket))
        guard doors.listens else { continue }
        let listener = try TCPListener(boundTo: SocketAddress(ip, port: 0), on: doors.interface)
        let token = try loop.watch(listener.fileDescriptor, for: .readable) { [unowned self] _ in
          accept(from: listener)
        }
        listeners.append((listener, token))
      } catch {
        failure = error
      }
    }
    if datagramSockets.isEmpty, let failure { throw failure }
    // Where the system does not tell, what there is now stays: no reason not to call.
    addressWatch = try? AddressWatch()
    if let addressWatch {
      _ = try loop.watch(addressWatch.fileDescriptor, for: .readable) { [unowned self] _ in
        addressWatch.drain()
        looksAt = looksAt ?? loop.now + Self.settlingTime
      }
    }
  }

  /// Tells under which addresses we are reached, if that is news.
  func announce() throws(SystemError) {
    let endpoints = try endpoints()
    guard endpoints != announced else { return }
    announced = endpoints
    log(.endpoints(endpoints))
    if let interface = doors.interface, !endpoints.contains(where: \.mayBeOffered) {
      log(.interfaceWithoutAddress(interface))
    }
    feed(.localEndpoints(endpoints))
  }

  /// Every address under which the sockets are reached, as candidates.
  func endpoints() throws(SystemError) -> [LocalEndpoint] {
    let addresses = try LocalAddress.current()
      .filter { doors.interface == nil || $0.interface == doors.interface }.map(\.ip)
    var found: [LocalEndpoint] = []
    for (id, socket) in datagramSockets {
      for ip in addresses where ip.isV4 == socket.localAddress.ip.isV4 {
        found.append(.datagram(id, SocketAddress(ip, port: socket.localAddress.port)))
      }
    }
    for (listener, _) in listeners {
      for ip in addresses where ip.isV4 == listener.localAddress.ip.isV4 {
        found.append(.listener(SocketAddress(ip, port: listener.localAddress.port)))
      }
    }
    return found
  }

  // MARK: Time

  var nextDeadline: Deadline? {
    var deadline: Deadline?
    for stream in streams.values {
      deadline = .earlier(deadline, stream.closesAt.map { Deadline("hang up", at: $0) })
    }
    deadline = .earlier(deadline, looksAt.map { Deadline("addresses", at: $0) })
    return .earlier(deadline, acceptsAgain.map { Deadline("accept again", at: $0) })
  }

  func handleTimeout(at now: Instant) {
    if let acceptsAgain, acceptsAgain <= now {
      self.acceptsAgain = nil
      for (_, token) in listeners { loop.change(token, to: .readable) }
    }
    if let looksAt, looksAt <= now {
      self.looksAt = nil
      // Out of memory or descriptors: the next change is another chance.
      try? announce()
    }
    // After every turn, and hardly ever is there one.
    while let id = streams.first(where: { $0.value.closesAt.map { $0 <= now } ?? false })?.key {
      close(id)
    }
  }

  // MARK: Datagrams

  private func receive(on socket: UDPSocket, _ id: SocketID) {
    // A bounded number of batches, so that a flood leaves room for the timers.
    for _ in 0..<8 {
      let isMore = socket.receive { bytes, source in
        feed(.datagram(bytes, from: source, on: id))
      }
      if !isMore { return }
    }
  }

  /// It leaves with the next `flush`.
  func transmit(_ bytes: [UInt8], to address: SocketAddress, from id: SocketID) {
    guard let entry = datagramSockets.first(where: { $0.id == id }) else { return }
    entry.socket.send(bytes, to: address)
  }

  /// To be called when all that there was to do is done: a picture's packets leave in one call.
  func flush() {
    for (_, socket) in datagramSockets { socket.flush() }
  }

  // MARK: Streams

  func dial(_ id: StreamID, _ address: SocketAddress) {
    log(.dialing(address))
    do {
      try add(try TCPStream(connectingTo: address, on: doors.interface), id)
    } catch {
      feed(.dialFailed(id, DialFailure(error)))
    }
  }

  private func accept(from listener: TCPListener) {
    for _ in 0..<32 {
      let stream: TCPStream
      switch acceptNext(listener) {
      case .connection(let accepted): stream = accepted
      case .none: return
      case .exhausted: return pauseAccepting()
      }
      log(.accepted(stream.remoteAddress))
      guard streams.count < Self.streamLimit else { continue }
      lastAccepted += 1
      let id = StreamID.accepted(lastAccepted)
      do {
        try add(stream, id)
        feed(.accepted(id, from: stream.remoteAddress))
      } catch {
        continue
      }
    }
  }

  /// Whoever waits to be let in would wake the loop again and again.
  private func pauseAccepting() {
    acceptsAgain = loop.now + Self.acceptPause
    for (_, token) in listeners { loop.change(token, to: []) }
  }

  private func add(_ stream: TCPStream, _ id: StreamID) throws(SystemError) {
    let interest: Readiness = stream.isConnected ? .readable : .writable
    let token = try loop.watch(stream.fileDescriptor, for: interest) { [unowned self] ready in
      serve(id, ready)
    }
    streams[id] = OpenStream(stream: stream, token: token)
  }

  private func serve(_ id: StreamID, _ ready: Readiness) {
    guard let open = streams[id] else { return }
    if !open.stream.isConnected {
      guard ready.isWritable || ready.isClosed else { return }
      if let failure = open.stream.finishConnecting() {
        close(id)
        feed(.dialFailed(id, DialFailure(failure)))
        return
      }
      loop.change(open.token, to: .readable)
      feed(.dialed(id))
    }
    if ready.isWritable { flush(id) }
    if ready.isReadable || ready.isClosed { read(id) }
  }

  private func read(_ id: StreamID) {
    for _ in 0..<16 {
      guard let open = streams[id] else { return }
      switch open.stream.read() {
      case .bytes(let bytes):
        if !open.isClosing { feed(.stream(bytes, on: id)) }
      case .blocked: return
      case .ended, .failed:
        close(id)
        if !open.isClosing { feed(.streamClosed(id)) }
        return
      }
    }
  }

  func write(_ bytes: [UInt8], to id: StreamID) {
    guard let open = streams[id], !open.isClosing else { return }
    if open.stream.write(bytes) != nil {
      close(id)
      feed(.streamClosed(id))
      return
    }
    noteBacklog(id)
  }

  private func flush(_ id: StreamID) {
    guard let open = streams[id] else { return }
    if open.stream.flush() != nil {
      close(id)
      if !open.isClosing { feed(.streamClosed(id)) }
      return
    }
    noteBacklog(id)
  }

  private func noteBacklog(_ id: StreamID) {
    guard var open = streams[id] else { return }
    let backlog = open.stream.queuedByteCount
    if open.isClosing, backlog == 0 {
      close(id)
      return
    }
    loop.change(open.token, to: backlog > 0 ? [.readable, .writable] : .readable)
    guard backlog != open.backlog else { return }
    open.backlog = backlog
    streams[id] = open
    if !open.isClosing { feed(.backlog(id, backlog)) }
  }

  /// True while written bytes of any stream have not left this process.
  var hasBacklog: Bool { streams.values.contains { $0.stream.queuedByteCount > 0 } }

  func hangUp(_ id: StreamID) {
    guard let open = streams[id] else { return }
    if open.stream.isConnected, open.stream.queuedByteCount > 0 {
      streams[id]?.closesAt = loop.now + Self.closingTime
    } else {
      close(id)
    }
  }

  private func close(_ id: StreamID) {
    guard let open = streams.removeValue(forKey: id) else { return }
    loop.unwatch(open.token)
  }
}

extension LocalEndpoint {
  /// Link-local addresses are refused by everybody (docs/protocol.md, Boxes).
  fileprivate var mayBeOffered: Bool {
    switch self {
    case .datagram(_, let address), .listener(let address): !address.ip.isLinkLocal
    }
  }
}

extension DialFailure {
  init(_ error: SystemError) {
    self =
      switch error.code {
      case ECONNREFUSED: .refused
      case ETIMEDOUT: .noAnswer
      case EHOSTUNREACH, ENETUNREACH: .unreachable
      default: .other
      }
  }
}

extension IPAddress {
  static let unspecifiedV6 = IPAddress(bytes: [UInt8](repeating: 0, count: 16))!
}
