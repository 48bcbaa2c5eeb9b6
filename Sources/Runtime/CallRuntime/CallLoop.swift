import CLinux
package import Call
package import Links
package import Runtime
package import Units

/// The network thread: it alone owns the conference and every socket. It feeds what happens,
/// performs what comes out, and sleeps until the next deadline.
package final class CallLoop {
  private let loop: EventLoop
  private var conference: Conference
  private let inbox: OrderedMailbox<ConferenceInput>
  private let media: MediaThreads
  private let log: (CallNotice) -> Void
  private let observe: (ConferenceOutput, Instant) -> Void
  private var sockets: PeerSockets?
  private var server: ServerConnection?
  private var waiting: [ConferenceInput] = []
  /// Those that are being fed; the two take turns, so that both keep their memory.
  private var fed: [ConferenceInput] = []
  /// The conference's, since it was last fed.
  private var due: Deadline?
  private var exitCode: Int?
  private var isLeaving = false
  private var usage: UsageMeter
  private let signals: Signals

  /// `observe` gets what the user or the disk is to have: events, the roster, known peers.
  package init(
    conference: Conference, doors: PeerDoors, serverAddresses: [SocketAddress],
    inbox: OrderedMailbox<ConferenceInput>, media: MediaThreads,
    makeServerSession: @escaping () -> any SecureSession,
    decideServer: @escaping ServerConnection.Decision,
    log: @escaping (CallNotice) -> Void,
    observe: @escaping (ConferenceOutput, Instant) -> Void
  ) throws(SystemError) {
    loop = try EventLoop()
    self.conference = conference
    self.inbox = inbox
    self.media = media
    self.log = log
    self.observe = observe
    usage = UsageMeter(now: loop.now)
    signals = try Signals()
    sockets = PeerSockets(loop: loop, doors: doors, log: log) { [unowned self] in waiting.append($0)
    }
    server = ServerConnection(
      loop: loop, addresses: serverAddresses, makeSession: makeServerSession,
      decide: decideServer, log: log
    ) { [unowned self] in waiting.append(.rendezvous($0)) }
    // Taken in every turn, whatever it was that woke the loop.
    _ = try loop.watch(inbox.wakeUp) {}
    _ = try loop.watch(signals.fileDescriptor, for: .readable) { [unowned self] _ in
      while let signal = signals.next() { stop(by: signal) }
    }
    try sockets?.open()
  }

  /// Runs the call; returns the exit code.
  package func run() throws(SystemError) -> Int {
    try sockets?.announce()
    waiting.append(.begin)
    feed(at: Clock.now)
    while exitCode == nil {
      let doors = Deadline.earlier(sockets?.nextDeadline, server?.nextDeadline)
      loop.turn(until: Deadline.earlier(due, .earlier(usage.deadline, doors))?.at)
      inbox.takeAll(into: &waiting)
      sockets?.handleTimeout(at: loop.now)
      server?.handleTimeout(at: loop.now)
      if let input = usage.reading(at: loop.now) { waiting.append(input) }
      feed(at: loop.now)
    }
    drainSockets()
    log(.dropped(conference.dropped))
    return exitCode ?? 70
  }

  /// The first signal leaves in order; a second one while leaving ends at once.
  private func stop(by signal: Signals.Signal) {
    if isLeaving { exitCode = signal == .interrupt ? 130 : 0 }
    isLeaving = true
    waiting.append(.leave(signal == .interrupt ? .interrupt : .terminated))
  }

  private func feed(at now: Instant) {
    // Performing may produce inputs at once (a dial that fails), so until none is left.
    while !waiting.isEmpty {
      swap(&waiting, &fed)
      conference.handle(fed, at: now)
      perform(at: now)
      fed.removeAll(keepingCapacity: true)
    }
    due = conference.nextDeadline
    if let due, due.at <= now {
      conference.handle([.timeout], at: now)
      perform(at: now)
      self.due = conference.nextDeadline
    }
    sockets?.flush()
  }

  private func perform(at now: Instant) {
    while let output = conference.nextOutput() {
      switch output {
      case .transmit(let bytes, let address, let socket):
        sockets?.transmit(bytes, to: address, from: socket)
      case .dial(let stream, let address): sockets?.dial(stream, address)
      case .write(let bytes, let stream): sockets?.write(bytes, to: stream)
      case .hangUp(let stream): sockets?.hangUp(stream)
      case .rendezvous(let output): server?.perform(output)
      case .expectVideo, .encodeVideo, .holdVideo, .keyFrame, .encodeAudio, .openCamera,
        .closeCamera,
        .openMicrophone, .decode, .audio, .audioHold, .announced, .openPeer, .closePeer:
        media.perform(output)
      case .event, .roster, .remember, .server: observe(output, now)
      case .finished(let code): exitCode = code
      }
    }
  }

  /// What was said last (goodbyes on streams) gets a moment to leave this computer.
  private func drainSockets() {
    let end = Clock.now + .milliseconds(50)
    while Clock.now < end, sockets?.hasBacklog == true || server?.hasBacklog == true {
      loop.turn(until: end)
    }
  }
}

/// Reads processor time and memory of the process tree once a second.
private struct UsageMeter {
  private var last: (at: Instant, usage: ProcessUsage)
  private var due: Instant

  init(now: Instant) {
    last = (now, ProcessUsage.current())
    due = now + .milliseconds(900)
  }

  var deadline: Deadline { Deadline("process usage", at: due) }

  mutating func reading(at now: Instant) -> ConferenceInput? {
    guard now >= due else { return nil }
    let usage = ProcessUsage.current()
    let share =
      (usage.processorTime - last.usage.processorTime).seconds / max(0.001, (now - last.at).seconds)
    last = (now, usage)
    due = now + .seconds(1)
    return .processUsage(
      cpuPercent: share * 100,
      residentMegabytes: Double(usage.residentMemory.bytes) / 1_048_576)
  }
}
