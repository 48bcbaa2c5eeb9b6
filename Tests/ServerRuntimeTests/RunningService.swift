import Encryption
import Rooms
import Runtime
import ServerRuntime
import Units

/// A whole server in this process, on threads of its own.
final class RunningService {
  let addresses: [SocketAddress]
  let certificate: ServerCertificate
  private let stop: WakeUp
  private let thread: Thread
  private var isRunning = true

  private struct Box: @unchecked Sendable {
    let service: RendezvousService
  }

  init(
    _ addresses: [SocketAddress] = [SocketAddress(.loopbackV4, port: 0)],
    certificate: ServerCertificate = .generate(), archive: (any RoomArchive)? = nil,
    limits: RendezvousLimits? = nil
  ) throws {
    self.certificate = certificate
    let sessions = RendezvousServerSessions(certificate)
    var configuration = RendezvousService.Configuration(
      listen: [ListenPoint(addresses)], archive: archive, ciphers: OpenSSLCipherSuite(),
      makeSession: { sessions.makeSession() })
    // Honest clients may be slow where many tests share a processor.
    configuration.limits.admissionTime = patience
    if let limits { configuration.limits = limits }
    configuration.workers = 2
    let box = Box(service: try RendezvousService(configuration))
    self.addresses = box.service.addresses
    stop = box.service.stop
    thread = try Thread.start("hall") { box.service.run() }
  }

  /// In order; returns when all its threads have ended.
  func end() {
    guard isRunning else { return }
    isRunning = false
    stop.signal()
    thread.join()
  }

  deinit { end() }
}

/// As long as tests run on slow machines, in one place: what is waited for comes long before.
let patience = Interval.seconds(60)
