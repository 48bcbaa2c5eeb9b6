import CLinux
package import Ciphers
package import Links
package import Rooms
package import Runtime
package import Units

/// The rendezvous server as a running thing.
///
/// One thread, the hall, accepts connections and owns all rooms; workers do the TLS, each with a
/// loop of its own. Rooms need microseconds a message and TLS three hundred a handshake, so
/// the hall is far from the limit when all processors are busy with TLS, and rooms need no locks.
package final class RendezvousService {
  private let loop: EventLoop
  private let reports: OrderedMailbox<WorkerReport>
  private let workers: [ConnectionWorker]
  private let archive: (any RoomArchive)?
  /// Writes rooms to their archive, so that a slow disk keeps nobody waiting.
  private let disk: SerialThread
  private let tell: (Notice) -> Void
  private var server: RendezvousServer
  private var listeners: [(listener: TCPListener, token: EventLoop.Token)] = []
  private let questions: [AnsweringSocket]
  private var signals: Signals?
  private var tokens: [EventLoop.Token] = []
  /// Accepted, and not judged by the server yet.
  private var arriving: (id: ConnectionID, stream: TCPStream)?
  private var lastConnection: UInt64 = 0
  /// Out of descriptors: when accepting is tried again.
  private var acceptsAgain: Instant?
  private var isDrained = false
  /// Drains the service from any thread.
  package let stop: WakeUp

  package struct Configuration: Sendable {
    package var listen: [ListenPoint]
    package var limits = RendezvousLimits()
    /// 0: one a processor.
    package var workers = 0
    package var archive: (any RoomArchive)?
    package var relays: RelayOffer?
    package var ciphers: any CipherSuite
    /// Server sessions; called on the workers' threads.
    package var makeSession: @Sendable () -> any SecureSession

    package init(
      listen: [ListenPoint], archive: (any RoomArchive)?, ciphers: any CipherSuite,
      makeSession: @escaping @Sendable () -> any SecureSession
    ) {
      self.listen = listen
      self.archive = archive
      self.ciphers = ciphers
      self.makeSession = makeSession
    }
  }

  /// For the log: nothing in it names a client, an address or a room.
  package enum Notice: Hashable, Sendable {
    case outOfDescriptors
    case acceptsAgain
    /// By a signal, or by `stop`.
    case draining(Signals.Signal?)
  }

  private static let acceptPause = Interval.milliseconds(200)
  /// STUN questions in one turn: a flood of them leaves room for the members.
  private static let questionBatch = 32

  /// Listens at once; serves while `run` runs, on the thread that calls both. `signals` end it.
  package init(
    _ configuration: Configuration, signals: Signals? = nil,
    tell: @escaping (Notice) -> Void = { _ in }
  ) throws(SystemError) {
    loop = try EventLoop()
    stop = try WakeUp()
    self.tell = tell
    self.signals = signals
    var opened: [ListenPoint.Opened] = []
    for point in configuration.listen { opened += try point.open() }

    let seed = configuration.ciphers.randomBytes(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    server = RendezvousServer(
      limits: configuration.limits, relays: configuration.relays, ciphers: configuration.ciphers,
      clock: WallClock(unixSeconds: Clock.wallSeconds, at: loop.now),
      rooms: configuration.archive?.load() ?? [], seed: seed, at: loop.now)
    archive = configuration.archive
    disk = try SerialThread("rooms", capacity: 4_096, priority: .background)
    reports = OrderedMailbox(capacity: 65_536, wakeUp: try WakeUp())
    let count = configuration.workers > 0 ? configuration.workers : processorCount
    var started: [ConnectionWorker] = []
    for number in 0..<count {
      started.append(
        try ConnectionWorker(
          number: number, reports: reports, makeSession: configuration.makeSession))
    }
    workers = started

    questions = opened.map(\.datagrams)
    for socket in questions {
      tokens.append(
        try loop.watch(socket.fileDescriptor, for: .readable) { _ in
          socket.answer(upTo: Self.questionBatch, StunResponder.answer)
        })
    }
    for listener in opened.map(\.listener) {
      let token = try loop.watch(listener.fileDescriptor, for: .readable) { [unowned self] _ in
        accept(listener)
      }
      listeners.append((listener, token))
    }
    tokens.append(try loop.watch(reports.wakeUp) { [unowned self] in takeReports() })
    tokens.append(try loop.watch(stop) { [unowned self] in drainAll(nil) })
    if let signals {
      tokens.append(
        try loop.watch(signals.fileDescriptor, for: .readable) { [unowned self] _ in
          while let signal = signals.next() { drainAll(signal) }
        })
    }
  }

  /// With the real ports.
  package var addresses: [SocketAddress] { listeners.map(\.listener.localAddress) }

  /// Until a signal or `stop`, and then until all was said, three seconds at most.
  package func run() {
    while !isDrained {
      var deadline = server.nextDeadline?.at
      if let acceptsAgain { deadline = min(deadline ?? acceptsAgain, acceptsAgain) }
      loop.turn(until: deadline)
      if let due = server.nextDeadline, due.at <= loop.now {
        server.handleTimeout(at: loop.now)
      }
      perform()
      if let acceptsAgain, acceptsAgain <= loop.now { resumeAccepting() }
    }
    for token in tokens { loop.unwatch(token) }
    for worker in workers { worker.order(.finish) }
    // A worker may be waiting for room in the mailbox.
    while !reports.takeAll().isEmpty {}
    for worker in workers { worker.join() }
    disk.finish()
  }

  private func accept(_ listener: TCPListener) {
    // A few at a time: those who are in already wait no longer than that.
    for _ in 0..<64 {
      switch listener.accept() {
      case .none: return
      case .exhausted: return pauseAccepting()
      case .connection(let stream):
        lastConnection += 1
        let id = ConnectionID(lastConnection)
        arriving = (id, stream)
        server.handle(.arrived(id, from: stream.remoteAddress.ip), at: loop.now)
        perform()
        arriving = nil
      }
    }
  }

  private func takeReports() {
    for report in reports.takeAll() {
      switch report {
      case .secured(let id, let peerID, let exporter):
        server.handle(.secured(id, peerID: peerID, exporter: exporter), at: loop.now)
      case .received(let id, let kind, let body):
        server.handle(.received(id, kind: kind, body: body), at: loop.now)
      case .closed(let id): server.handle(.closed(id), at: loop.now)
      }
      perform()
    }
  }

  private func perform() {
    while let output = server.nextOutput() {
      switch output {
      case .serve(let id):
        if let arriving, arriving.id == id {
          worker(of: id).order(.adopt(id, AcceptedStream(stream: arriving.stream)))
        }
      case .send(let id, let bytes): worker(of: id).order(.send(id, bytes))
      case .close(let id): worker(of: id).order(.close(id))
      case .reset(let id):
        if let arriving, arriving.id == id {
          arriving.stream.resetOnClose()
        } else {
          worker(of: id).order(.reset(id))
        }
      // Making rooms waits for a disk that is slower still: nothing is dropped.
      case .store(let room): disk.postWaiting { [archive] in archive?.store(room) }
      case .forget(let rid): disk.postWaiting { [archive] in archive?.forget(rid: rid) }
      case .drained: isDrained = true
      }
    }
  }

  private func worker(of id: ConnectionID) -> ConnectionWorker {
    workers[Int(id.number % UInt64(workers.count))]
  }

  // MARK: Accepting

  private func pauseAccepting() {
    if acceptsAgain == nil { tell(.outOfDescriptors) }
    acceptsAgain = loop.now + Self.acceptPause
    for (_, token) in listeners { loop.change(token, to: []) }
  }

  private func resumeAccepting() {
    acceptsAgain = nil
    tell(.acceptsAgain)
    for (_, token) in listeners { loop.change(token, to: .readable) }
  }

  private func drainAll(_ signal: Signals.Signal?) {
    guard !listeners.isEmpty else { return }
    tell(.draining(signal))
    for (_, token) in listeners { loop.unwatch(token) }
    listeners = []
    acceptsAgain = nil
    server.handle(.drain, at: loop.now)
    perform()
  }
}

private var processorCount: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }
