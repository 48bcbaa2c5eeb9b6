package import Links
import Synchronization
package import Units

/// A session that protects nothing: it stands, fails or ends at once, or never stands.
package final class PlainSession: SecureSession {
  package enum Course: Hashable, Sendable {
    case stands
    case fails(SecureSessionFailure)
    case ends
    case waits
  }
  private let course: Course
  private let onClose: @Sendable () -> Void
  private var outputs = OutputQueue<SecureSessionOutput>()

  package init(_ course: Course = .stands, onClose: @escaping @Sendable () -> Void = {}) {
    self.course = course
    self.onClose = onClose
  }

  package func start(at now: Instant) {
    switch course {
    case .stands: outputs.append(.established)
    case .fails(let failure): outputs.append(.failed(failure))
    case .ends: outputs.append(.closed)
    case .waits: break
    }
  }
  package func receive(_ bytes: [UInt8], at now: Instant) { outputs.append(.received(bytes)) }
  package func send(_ message: [UInt8], at now: Instant) { outputs.append(.transmit(message)) }
  package func close(at now: Instant) { onClose() }
  package func handleTimeout(at now: Instant) {}
  package func nextOutput() -> SecureSessionOutput? { outputs.next() }
  package var nextDeadline: Deadline? { nil }
  package var peerKeyHash: [UInt8]? { [UInt8](repeating: 1, count: 32) }
  package var peerCertificateChain: [[UInt8]] { [] }
  package func exporter(label: String, count: Int) -> [UInt8]? {
    [UInt8](repeating: 2, count: count)
  }
  package var cipherName: String { "none" }
}

/// Makes them for relays, and remembers for which, and how many were closed.
package final class PlainSessions: RelaySessionFactory {
  private let course: PlainSession.Course
  private let asked = Mutex<[String]>([])
  private let closings = Mutex(0)
  package var hosts: [String] { asked.withLock { $0 } }
  package var closed: Int { closings.withLock { $0 } }

  package init(_ course: PlainSession.Course = .stands) { self.course = course }

  package func makeSession(host: String) -> any SecureSession {
    asked.withLock { $0.append(host) }
    return PlainSession(course) { [self] in closings.withLock { $0 += 1 } }
  }
}
