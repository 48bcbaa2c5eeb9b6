import Links

/// Keeps from OpenSSL the unprotected records with which a third party that can only send, with a
/// forged address, would end a DTLS handshake: it treats both as fatal.
///
/// - Alerts in the clear: nobody has signed them (RFC 6347 §4.1.2.7).
/// - At a server, a ClientHello with a cookie that is not ours.
///
/// Once the records are protected OpenSSL itself drops what is not authentic.
struct HandshakeGate {
  let role: SessionRole
  let cookie: [UInt8]

  /// The datagram without such records; empty when nothing is left.
  func admitted(_ datagram: [UInt8]) -> [UInt8] {
    var kept: [UInt8] = []
    var at = 0
    while at + 13 <= datagram.count {
      let length = Int(datagram[at + 11]) << 8 | Int(datagram[at + 12])
      let end = at + 13 + length
      guard end <= datagram.count else { break }
      if admits(datagram[at..<end]) { kept += datagram[at..<end] }
      at = end
    }
    return kept
  }

  /// A record: type, version (2), epoch (2), sequence number (6), length (2), body.
  private func admits(_ record: ArraySlice<UInt8>) -> Bool {
    let bytes = Array(record)
    let isProtected = bytes[3] != 0 || bytes[4] != 0
    if isProtected { return true }
    let alert: UInt8 = 21
    let handshake: UInt8 = 22
    if bytes[0] == alert { return false }
    if bytes[0] == handshake, role == .server, bytes.count > 13, bytes[13] == 1 {
      return admitsClientHello(bytes[13...])
    }
    return true
  }

  /// A handshake message: type, length (3), sequence (2), fragment offset (3), fragment length (3);
  /// then version (2), random (32), session id and cookie, each after its length in one byte.
  private func admitsClientHello(_ message: ArraySlice<UInt8>) -> Bool {
    let bytes = Array(message)
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
