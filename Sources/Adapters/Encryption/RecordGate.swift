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
/// And those of a handshake that one side has given up, which no session survives that begins anew:
/// - At a client, everything before a HelloVerifyRequest: flights of a server that still answers the
///   attempt before. OpenSSL keeps them and finds later that they were signed for another hello.
/// - At a server, ClientHellos of another attempt than the one under way, which OpenSSL takes for
///   repetitions of the first. One without a cookie gets it from `answerToNewHello`; when it comes
///   back with that, which only somebody at that address or on the path can do, `newBeginning` is
///   to take the place of what is under way.
///
/// What is left of protected records OpenSSL itself drops where it is not authentic.
struct RecordGate {
  let role: SessionRole
  let cookie: [UInt8]
  /// Of a protected record's body, what is not the message: nonce and tag of GCM, which is more
  /// than ChaCha20-Poly1305 has. Until the cipher is known the shortest record is a Finished.
  private(set) var protection = 24
  private(set) var isEstablished = false
  /// At a client: the server has answered this attempt.
  private var isAnswered = false
  /// At a server: of the ClientHello with our cookie that is under way.
  private var clientRandom: ArraySlice<UInt8>?
  /// At a server: the first ClientHello, a record, of a client that may begin anew, and its random.
  private var newHello: (record: [UInt8], random: ArraySlice<UInt8>)?
  private var isNewHelloUnanswered = false
  private var isBeginning = false

  init(role: SessionRole, cookie: [UInt8]) {
    self.role = role
    self.cookie = cookie
  }

  /// The handshake is over, with this cipher.
  mutating func establish(cipherName: String) {
    isEstablished = true
    isAnswered = true
    // No explicit nonce (RFC 7905 §2).
    if cipherName.contains("CHACHA20") { protection = 16 }
  }

  /// The datagram without such records; empty when nothing is left.
  mutating func admitted(_ datagram: [UInt8]) -> [UInt8] {
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

  private mutating func admits(_ datagram: [UInt8], _ record: Range<Int>) -> Bool {
    let at = record.lowerBound
    let body = record.count - Self.header
    // A hello may carry DTLS 1.0's version (RFC 6347 §4.2.1).
    let isKnown = datagram[at + 1] == 0xFE && (datagram[at + 2] == 0xFD || datagram[at + 2] == 0xFF)
    guard Self.types.contains(datagram[at]), isKnown, datagram[at + 3] == 0, body <= Self.longest
    else { return false }
    switch datagram[at + 4] {
    case 1: return (role == .server || isAnswered) && body > protection
    case 0: return !isEstablished && admitsClear(datagram, record)
    default: return false
    }
  }

  private mutating func admitsClear(_ datagram: [UInt8], _ record: Range<Int>) -> Bool {
    let type = datagram[record.lowerBound]
    let body = datagram[(record.lowerBound + Self.header)..<record.upperBound]
    guard type != Self.alert, let first = body.first else { return false }
    switch role {
    case .client:
      if type == Self.handshake, first == Self.cookieRequest { isAnswered = true }
      return isAnswered
    case .server:
      guard type == Self.handshake, first == Self.clientHello else { return true }
      return admitsClientHello(datagram[record])
    }
  }

  private static let clientHello: UInt8 = 1
  private static let cookieRequest: UInt8 = 3

  /// A handshake message: type, length (3), sequence (2), fragment offset (3), fragment length (3);
  /// then version (2), random (32), session id and cookie, each after its length in one byte.
  private mutating func admitsClientHello(_ record: ArraySlice<UInt8>) -> Bool {
    let bytes = Array(record.dropFirst(Self.header))
    let bodyStart = 12
    guard bytes.count > bodyStart + 34 else { return false }
    // Ours fits into one record; a fragment's cookie can't be looked at.
    guard bytes[6..<9].allSatisfy({ $0 == 0 }), bytes[1..<4] == bytes[9..<12] else { return false }
    let cookieAt = bodyStart + 35 + Int(bytes[bodyStart + 34])
    guard cookieAt < bytes.count else { return false }
    let count = Int(bytes[cookieAt])
    guard cookieAt + 1 + count <= bytes.count else { return false }
    let found = Array(bytes[(cookieAt + 1)..<(cookieAt + 1 + count)])
    let isOurs = OpenSSLCipherSuite().equal(found, cookie)
    guard found.isEmpty || isOurs else { return false }
    let random = bytes[(bodyStart + 2)..<(bodyStart + 34)]
    if let clientRandom, clientRandom != random {
      guard isOurs else {
        newHello = (Array(record), random)
        isNewHelloUnanswered = true
        return false
      }
      // OpenSSL needs the first, and a client that left that out has none of its own.
      guard newHello?.random == random else { return false }
      isBeginning = true
    }
    if isOurs { clientRandom = random }
    return true
  }

  /// What a client that begins anew is answered, once for each of its hellos: the cookie, in the
  /// hello's own record number and no longer than it (RFC 6347 §4.2.1).
  mutating func answerToNewHello() -> [UInt8]? {
    guard isNewHelloUnanswered, let newHello else { return nil }
    isNewHelloUnanswered = false
    let body = [0xFE, 0xFF, UInt8(cookie.count)] + cookie
    let length = [0, 0, UInt8(body.count)]
    let message = [Self.cookieRequest] + length + [0, 0, 0, 0, 0] + length + body
    let sequence = newHello.record.dropFirst(5).prefix(6)
    return [Self.handshake, 0xFE, 0xFF, 0, 0] + sequence + [0, UInt8(message.count)] + message
  }

  /// The first ClientHello of another attempt, whose second is what was admitted last: both belong
  /// to a server that knows nothing of the attempt before.
  mutating func newBeginning() -> [UInt8]? {
    guard isBeginning else { return nil }
    isBeginning = false
    defer { newHello = nil }
    return newHello?.record
  }
}
