package import Links
import Synchronization
import Units

/// Makes simulated sessions with one process's link certificate.
package final class SimulatedSessionFactory: SecureSessionFactory {
  package let certificateKeyHash: [UInt8]
  private let certificate: SimulatedIdentity
  private let random: Mutex<SeededRandom>
  private let tap: FrameTap?

  package convenience init(seed: UInt64, tap: FrameTap? = nil) {
    self.init(certificate: SimulatedIdentity(seed: seed ^ 0x4C49_4E4B), seed: seed, tap: tap)
  }

  /// With a certificate of the caller's choice: a client's identity towards the rendezvous server.
  package init(certificate: SimulatedIdentity, seed: UInt64, tap: FrameTap? = nil) {
    self.certificate = certificate
    self.tap = tap
    certificateKeyHash = certificate.keyHash
    random = Mutex(SeededRandom(seed: seed))
  }

  /// Another process's, to which this one has given the key of its links.
  package func lent(seed: UInt64) -> SimulatedSessionFactory {
    SimulatedSessionFactory(certificate: certificate, seed: seed)
  }

  package func makeSession(
    _ carrier: Carrier, role: SessionRole, expectedKeyHash: [UInt8]?
  ) -> any SecureSession {
    SimulatedSecureSession(
      carrier, role: role, certificate: certificate, expectedKeyHash: expectedKeyHash,
      random: random.withLock { $0.split() },
      tap: tap.map { FrameTap.Session($0, carrier: carrier) })
  }
}
