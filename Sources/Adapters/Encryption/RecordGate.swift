import Links

/// Keeps from OpenSSL the records with which a third party that can only send, with a forged
/// address, would end a DTLS session: OpenSSL treats some as fatal that RFC 6347 §4.1.2.7 wants
/// dropped without a word.
///
/// - Records of an unknown type, version or epoch, or cut short.
/// - Protected records too short to be authentic (OpenSSL before 3.0.22 ends the session, also for
///   one that came during the handshake and was kept for later).
/// - Alerts in the clear: nobody has signed them.
/// - At a server, a ClientHello with a cookie that is not ours.
/// - After the handshake, everything in the clear.
///
/// What is left of protected records OpenSSL itself drops where it is not authentic.
struct RecordGate {
  let role: SessionRole
  let cookie: [UInt8]
  /// Of a protected record's body, what is not the message: nonce and tag of GCM, which is more
  /// than ChaCha20-Poly1305 has. Until the cipher is known the shortest record is a Finished.
  private(set) var protection = 24
  private(set) var isEstablished = false

  init(role: SessionRole, cookie: [UInt8]) {
    self.role = role
    self.cookie = cookie
  }

  /// The handshake is over, with this cipher.
  mutating func establish(cipherName: String) {
    isEstablished = true
    // No explicit nonce (RFC 7905 §2).
    if cipherName.contains("CHACHA20") { protection = 16 }
  }

  /// The datagram without such records; empty when nothing is left.
  func admitted(_ datagram: [UInt8]) -> [UInt8] {
    var kept: [UInt8] = []
    var at = 0
    // The first record that was left out, or the end: until there nothing needs to be copied.
    var whole = true
    while at + Self.header <= datagram.count {
      let end = at + Self.header + (Int(datagram[at + 11]) << 8 | Int(datagram[at + 12]))
      guard end <= datagram.count else { break }
      if admits(datagram, at..<end) {
        if !whole { kept += datagram[at..<end] }
      } else if whole {
        kept = Array(datagram[..<at])
        whole = false
      }
      at = end
    }
    if whole, at == datagram.count { return datagram }
    return whole ? Array(datagram[..<at]) : kept
  }

  /// Type, version (2), epoch (2), sequence number (6), length (2).
  private static let header = 13
  private static let alert: UInt8 = 21
  private static let handshake: UInt8 = 22
  /// ChangeCipherSpec, alert, handshake, application data.
  private static let types: ClosedRange<UInt8> = 20...23
  /// 2^14 bytes of message, and its protection (RFC 6347 §4.1.1).
  private static let longest = 16_384 + 24

  private func admits(_ datagram: [UInt8], _ record: Range<Int>) -> Bool {
    let at = record.lowerBound
    let body = record.count - Self.header
    // A hello may carry DTLS 1.0's version (RFC 6347 §4.2.1).
    let isKnown = datagram[at + 1] == 0xFE && (datagram[at + 2] == 0xFD || datagram[at + 2] == 0xFF)
    guard Self.types.contains(datagram[at]), isKnown, datagram[at + 3] == 0, body <= Self.longest
    else { return false }
    switch datagram[at + 4] {
    case 1: return body > protection
    case 0: return !isEstablished && admitsClear(datagram, record)
    default: return false
    }
  }

  private func admitsClear(_ datagram: [UInt8], _ record: Range<Int>) -> Bool {
    let type = datagram[record.lowerBound]
    let body = datagram[(record.lowerBound + Self.header)..<record.upperBound]
    guard type != Self.alert, let first = body.first else { return false }
    // Type 1 is a ClientHello.
    guard type == Self.handshake, role == .server, first == 1 else { return true }
    return admitsClientHello(Array(body))
  }

  /// A handshake message: type, length (3), sequence (2), fragment offset (3), fragment length (3);
  /// then version (2), random (32), session id and cookie, each after its length in one byte.
  private func admitsClientHello(_ bytes: [UInt8]) -> Bool {
    let bodyStart = 12
    guard bytes.count > bodyStart + 34 else { return false }
    // Ours fits into one record; a fragment's cookie can't be looked at.
    guard bytes[6..<9].allSatisfy({ $0 == 0 }), bytes[1..<4] == bytes[9..<12] else { return false }
    let cookieAt = bodyStart + 35 + Int(bytes[bodyStart + 34])
    guard cookieAt < bytes.count else { return false }
    let count = Int(bytes[cookieAt])
    guard cookieAt + 1 + count <= bytes.count else { return false }
    let found = Array(bytes[(cookieAt + 1)..<(cookieAt + 1 + count)])
    return found.isEmpty || OpenSSLCipherSuite().equal(found, cookie)
  }
}
