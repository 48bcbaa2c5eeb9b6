package import Units

/// A TLS 1.3 stream or a DTLS 1.2 association without a socket: bytes in, bytes and events out.
///
/// Feed it, then take `nextOutput()` until it returns `nil`. A failed session stays failed.
package protocol SecureSession: AnyObject {
  /// The client's first flight goes out; a server waits.
  func start(at now: Instant)
  /// One datagram, or any part of the stream.
  func receive(_ bytes: [UInt8], at now: Instant)
  /// Encrypts one message: a datagram of its own on DTLS, bytes of the stream on TLS. Ignored
  /// unless established (a TLS server may send from its first flight on).
  func send(_ message: [UInt8], at now: Instant)
  /// Sends close_notify where the protocol has one.
  func close(at now: Instant)
  func handleTimeout(at now: Instant)
  func nextOutput() -> SecureSessionOutput?
  var nextDeadline: Deadline? { get }

  /// SHA-256 of the peer certificate's SubjectPublicKeyInfo; known once established.
  var peerKeyHash: [UInt8]? { get }
  /// DER certificates of the peer, leaf first; known once established.
  var peerCertificateChain: [[UInt8]] { get }
  /// Keying material (RFC 5705, RFC 8446 §7.5) without a context; `nil` before establishment.
  func exporter(label: String, count: Int) -> [UInt8]?
  /// What was negotiated, as OpenSSL names it, for the `link` event.
  var cipherName: String { get }
}

/// Makes a client's TLS sessions to relays: ordinary ones, whose certificate must be the host's.
package protocol RelaySessionFactory: Sendable {
  /// `host` is a name or an IP address.
  func makeSession(host: String) -> any SecureSession
}

package enum SecureSessionOutput: Sendable {
  /// Bytes for the wire: exactly one datagram on DTLS.
  case transmit([UInt8])
  case established
  /// One decrypted datagram, or the next bytes of the stream.
  case received([UInt8])
  /// The peer closed in order.
  case closed
  case failed(SecureSessionFailure)
}

package enum SecureSessionFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// The certificate's key is not the expected one.
  case keyMismatch(expected: [UInt8], found: [UInt8])
  /// The certificate is not good for what it is shown for.
  case untrusted(CertificateFault)
  /// DTLS without extended master secret, or another rule of docs/protocol.md.
  case refused(String)
  /// The other side, a server that lets in only whom its CA vouches for, did not take our
  /// certificate.
  case certificateRefused
  /// The library's own words.
  case handshake(String)
  case timedOut

  package var description: String {
    switch self {
    case .keyMismatch: "the certificate is for another key than expected"
    case .untrusted(let fault): fault.reason
    case .refused(let reason), .handshake(let reason): reason
    case .certificateRefused: "our certificate was refused"
    case .timedOut: "no answer in time"
    }
  }
}

/// Why a certificate is not good for what it is shown for.
package struct CertificateFault: Hashable, Sendable {
  /// By what is to be done about it.
  package enum Kind: Hashable, Sendable {
    /// Today is not within its dates.
    case outdated
    /// It is for other names or addresses.
    case misnamed
    /// No CA that is trusted has signed it.
    case unvouched
    case other
  }
  package var kind: Kind
  /// The library's own words.
  package var reason: String

  package init(_ kind: Kind, _ reason: String) {
    self.kind = kind
    self.reason = reason
  }
}

package enum Carrier: Hashable, Sendable {
  /// DTLS 1.2 over datagrams.
  case datagram
  /// TLS 1.3 over a stream.
  case stream
}

package enum SessionRole: Hashable, Sendable {
  case client
  case server
}

/// Makes the sessions of peer links, all with this process's one link certificate.
package protocol SecureSessionFactory: Sendable {
  /// SHA-256 of this process's link certificate's SubjectPublicKeyInfo.
  var certificateKeyHash: [UInt8] { get }
  /// `expectedKeyHash` is enforced in the handshake where it is known.
  func makeSession(
    _ carrier: Carrier, role: SessionRole, expectedKeyHash: [UInt8]?
  ) -> any SecureSession
}
