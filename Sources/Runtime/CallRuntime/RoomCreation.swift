package import Links
package import Rooms
package import Runtime
package import Units

/// Makes a room at the server: connects, sends CREATE, and leaves again.
package final class RoomCreation {
  private let loop: EventLoop
  private var client: RendezvousClient
  private var server: ServerConnection?
  private var waiting: [RendezvousClient.Input] = [.start]
  private var isCreated = false
  private let signals: Signals
  /// A signal ended it.
  package private(set) var isInterrupted = false

  package init(
    client: RendezvousClient, serverAddresses: [SocketAddress],
    makeServerSession: @escaping () -> any SecureSession,
    decideServer: @escaping ServerConnection.Decision
  ) throws(SystemError) {
    loop = try EventLoop()
    signals = try Signals()
    self.client = client
    server = ServerConnection(
      loop: loop, addresses: serverAddresses, makeSession: makeServerSession,
      decide: decideServer
    ) { [unowned self] in waiting.append($0) }
    _ = try loop.watch(signals.fileDescriptor, for: .readable) { [unowned self] _ in
      while signals.next() != nil {
        isInterrupted = true
        waiting.append(.leave)
      }
    }
  }

  /// Blocks until the room exists; `nil` then, else why there is none.
  package func run() -> RendezvousClient.Ending? {
    while true {
      if let ending = advance() { return ending == .left && isCreated ? nil : ending }
      loop.turn(until: Deadline.earlier(client.nextDeadline, server?.nextDeadline)?.at)
      server?.handleTimeout(at: loop.now)
      if let due = client.nextDeadline, due.at <= loop.now { client.handleTimeout(at: loop.now) }
    }
  }

  private func advance() -> RendezvousClient.Ending? {
    var ending: RendezvousClient.Ending?
    repeat {
      let inputs = waiting
      waiting.removeAll()
      for input in inputs { client.handle(input, at: loop.now) }
      while let output = client.nextOutput() {
        switch output {
        case .joined:
          isCreated = true
          waiting.append(.leave)
        case .ended(let reason): ending = reason
        default: server?.perform(output)
        }
      }
    } while !waiting.isEmpty
    return ending
  }
}
