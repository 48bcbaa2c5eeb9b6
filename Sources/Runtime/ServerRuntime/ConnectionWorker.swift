import CLinux
import Links
import Rooms
import Runtime
import Units

/// One thread that does the TLS of its share of the connections. It knows no rooms: the hall
/// does, on a thread of its own.
final class ConnectionWorker: Sendable {
  private let orders: OrderedMailbox<WorkerOrder>
  private let reports: OrderedMailbox<WorkerReport>
  private let thread: Thread

  /// Reports go to the hall's one mailbox.
  init(
    number: Int, reports: OrderedMailbox<WorkerReport>,
    makeSession: @escaping @Sendable () -> any SecureSession
  ) throws(SystemError) {
    let orders = OrderedMailbox<WorkerOrder>(capacity: 65_536, wakeUp: try WakeUp())
    self.orders = orders
    self.reports = reports
    // Made here, so that its failure is the caller's to hear.
    let loop = LoopBox(loop: try EventLoop())
    thread = try Thread.start("connections \(number)") {
      WorkerThread(loop.loop, orders, reports, makeSession).run()
    }
  }

  /// Waits while the worker has more to do than its mailbox holds: it always comes round to it.
  func order(_ order: WorkerOrder) { orders.postWaiting(order) }

  func join() { thread.join() }
}

/// A loop on its way to its thread.
private struct LoopBox: @unchecked Sendable {
  let loop: EventLoop
}

private final class WorkerThread {
  private let loop: EventLoop
  private let orders: OrderedMailbox<WorkerOrder>
  private let reports: OrderedMailbox<WorkerReport>
  private let makeSession: @Sendable () -> any SecureSession
  private var connections: [ConnectionID: ServedConnection] = [:]
  /// Asked to close, in order, with the end of their time to read what was sent.
  private var closing: [(id: ConnectionID, until: Instant)] = []
  /// Ended in this turn: let go of when their own code has returned.
  private var ended: [ConnectionID] = []
  private var waitingOrders: [WorkerOrder] = []
  private var isFinished = false

  private static let closingTime = Interval.seconds(2)

  init(
    _ loop: EventLoop, _ orders: OrderedMailbox<WorkerOrder>,
    _ reports: OrderedMailbox<WorkerReport>,
    _ makeSession: @escaping @Sendable () -> any SecureSession
  ) {
    self.loop = loop
    self.orders = orders
    self.reports = reports
    self.makeSession = makeSession
  }

  func run() {
    guard let token = try? loop.watch(orders.wakeUp, handler: {}) else { return }
    while !isFinished {
      loop.turn(until: waitingOrders.isEmpty ? closing.first?.until : loop.now)
      let all = waitingOrders + orders.takeAll()
      waitingOrders = []
      for order in all { perform(order) }
      while let first = closing.first, first.until <= loop.now {
        closing.removeFirst()
        connections[first.id]?.reset()
      }
      letGo()
    }
    loop.unwatch(token)
  }

  private func perform(_ order: WorkerOrder) {
    switch order {
    case .adopt(let id, let accepted):
      let connection = ServedConnection(accepted.stream, makeSession(), on: loop) {
        [unowned self] in tell(id, $0)
      }
      connections[id] = connection
      connection.start()
    case .send(let id, let bytes): connections[id]?.send(bytes)
    case .close(let id):
      connections[id]?.close()
      closing.append((id, loop.now + Self.closingTime))
    case .reset(let id): connections[id]?.reset()
    case .finish: isFinished = true
    }
  }

  private func tell(_ id: ConnectionID, _ event: ServedConnection.Event) {
    switch event {
    case .secured(let peerID, let exporter):
      report(.secured(id, peerID: peerID, exporter: exporter))
    case .received(let kind, let body): report(.received(id, kind: kind, body: body))
    case .ended: ended.append(id)
    }
  }

  private func letGo() {
    for id in ended where connections.removeValue(forKey: id) != nil { report(.closed(id)) }
    ended = []
  }

  /// Waits while the hall has too much to do, which slows clients down through TCP. Orders are
  /// taken meanwhile, so that the hall never waits for a worker that waits for the hall.
  private func report(_ report: WorkerReport) {
    while !reports.post(report) {
      waitingOrders += orders.takeAll()
      usleep(500)
    }
  }
}
