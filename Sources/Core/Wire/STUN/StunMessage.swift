/// A STUN message (RFC 8489 §5): header, attributes, then MESSAGE-INTEGRITY and FINGERPRINT where
/// they are present.
///
/// The HMAC isn't made or checked here, as Wire has no ciphers: see `signed` and `Received`.
package struct StunMessage: WireMessage {
  /// RFC 8489 §3; TURN's methods (RFC 8656 §17) have numbers of their own.
  package struct Method: Hashable, Sendable {
    /// 12 bits.
    package let number: UInt16
    package static let binding = Method(number: 1)
    package static let allocate = Method(number: 3)
    package static let refresh = Method(number: 4)
    package static let send = Method(number: 6)
    package static let data = Method(number: 7)
    package static let createPermission = Method(number: 8)
    package static let channelBind = Method(number: 9)
  }
  package enum Class: UInt16, Hashable, Sendable {
    case request = 0b00
    case indication = 0b01
    case success = 0b10
    case error = 0b11
  }
  /// What the integrity's HMAC is made with; its count of bytes.
  package enum IntegrityHash: Int, Sendable {
    case sha1 = 20
    case sha256 = 32
  }
  package var method: Method
  package var kind: Class
  /// 12 random bytes.
  package var transactionID: [UInt8]
  /// All but MESSAGE-INTEGRITY (-SHA256) and FINGERPRINT, in their order.
  package var attributes: [StunAttribute]
  /// HMAC-SHA1, 20 bytes: MESSAGE-INTEGRITY. Or HMAC-SHA256, 32: MESSAGE-INTEGRITY-SHA256. Of a
  /// message that has both, the first.
  package var integrity: [UInt8]?
  package var hasFingerprint: Bool

  package static let headerCount = 20
  package static let magicCookie: UInt32 = 0x2112_A442

  package init(
    _ kind: Class, method: Method = .binding, transactionID: [UInt8],
    attributes: [StunAttribute]
  ) {
    self.method = method
    self.kind = kind
    self.transactionID = transactionID
    self.attributes = attributes
    integrity = nil
    hasFingerprint = true
  }

  /// Whether a datagram is STUN rather than DTLS or noise (RFC 7983 §7, RFC 8489 §5).
  package static func isStun(_ datagram: [UInt8]) -> Bool {
    datagram.count >= headerCount && datagram[0] < 4 && datagram[4...7] == [0x21, 0x12, 0xA4, 0x42]
  }
}

extension StunMessage {
  package init(from reader: inout ByteReader) throws(WireError) {
    var whole = reader
    let type = try whole.u16()
    guard type & 0xC000 == 0 else { throw .invalid(field: "STUN type", found: UInt64(type)) }
    let length = Int(try whole.u16())
    guard length % 4 == 0 else { throw .invalid(field: "STUN length", found: UInt64(length)) }
    let bytes = try reader.bytes(Self.headerCount + length)
    self = try Received(bytes).message
  }

  package func write(to writer: inout ByteWriter) {
    var message = ByteWriter()
    message.append(covered)
    if let integrity {
      let isSHA256 = integrity.count == IntegrityHash.sha256.rawValue
      message.u16(
        isSHA256
          ? StunAttribute.Number.messageIntegritySHA256 : StunAttribute.Number.messageIntegrity)
      message.u16(UInt16(integrity.count))
      message.append(integrity)
    }
    if hasFingerprint {
      message.patchU16(UInt16(message.count + 8 - Self.headerCount), at: 2)
      let checksum = CRC32.checksum(message.bytes) ^ Self.fingerprintMask
      message.u16(StunAttribute.Number.fingerprint)
      message.u16(4)
      message.u32(checksum)
    }
    writer.append(message.bytes)
  }

  /// The bytes under MESSAGE-INTEGRITY: header and attributes, the header's length counting
  /// MESSAGE-INTEGRITY itself where there is or will be one (RFC 8489 §14.5, §14.6).
  private var covered: [UInt8] {
    var writer = ByteWriter()
    writer.u16(type)
    writer.u16(0)
    writer.u32(Self.magicCookie)
    writer.append(transactionID)
    for attribute in attributes { attribute.write(to: &writer, transactionID: transactionID) }
    let integrityCount = integrity.map { $0.count + 4 } ?? 0
    writer.patchU16(UInt16(writer.count + integrityCount - Self.headerCount), at: 2)
    return writer.bytes
  }

  /// The same message with MESSAGE-INTEGRITY (-SHA256); `code` gives the HMAC of the bytes that it
  /// gets.
  package func signed(
    by hash: IntegrityHash = .sha1, _ code: ([UInt8]) -> [UInt8]
  ) -> StunMessage {
    var message = self
    message.integrity = [UInt8](repeating: 0, count: hash.rawValue)
    message.integrity = code(message.covered)
    return message
  }

  /// Class bits C1 and C0 are bits 8 and 4 of the type (RFC 8489 §5, figure 3).
  private var type: UInt16 {
    let method = self.method.number
    let spread = (method & 0xF80) << 2 | (method & 0x70) << 1 | method & 0xF
    return spread | (kind.rawValue & 2) << 7 | (kind.rawValue & 1) << 4
  }

  fileprivate static let fingerprintMask: UInt32 = 0x5354_554E
}

extension StunMessage {
  /// A message from the network, with the very bytes that its integrity covers: padding may hold
  /// anything, so encoding the message again need not give them.
  package struct Received: Sendable {
    package let message: StunMessage
    /// What `message.integrity` must be the HMAC of; empty when there is none.
    package let covered: [UInt8]

    /// A wrong FINGERPRINT is an error, a missing one is not.
    package init(_ bytes: [UInt8]) throws(WireError) {
      var reader = ByteReader(bytes)
      let type = try reader.u16()
      guard type & 0xC000 == 0, let kind = Class(rawValue: (type >> 7) & 2 | (type >> 4) & 1) else {
        throw .invalid(field: "STUN type", found: UInt64(type))
      }
      let method = Method(number: (type >> 2) & 0xF80 | (type >> 1) & 0x70 | type & 0xF)
      let length = Int(try reader.u16())
      let cookie = try reader.u32()
      guard cookie == magicCookie else {
        throw .invalid(field: "magic cookie", found: UInt64(cookie))
      }
      let transactionID = try reader.bytes(12)
      guard length == reader.left else { throw .truncated(needed: length, left: reader.left) }

      var message = StunMessage(
        kind, method: method, transactionID: transactionID, attributes: [])
      message.hasFingerprint = false
      var covered: [UInt8] = []
      while !reader.isAtEnd {
        let offset = bytes.count - reader.left
        let number = try reader.u16()
        let count = Int(try reader.u16())
        let value = try reader.bytes(count)
        try reader.skip(paddingCount(after: count))
        switch number {
        case StunAttribute.Number.fingerprint:
          guard reader.isAtEnd, count == 4 else { throw .trailing(reader.left) }
          var field = ByteReader(value)
          let expected = CRC32.checksum(bytes[..<offset]) ^ fingerprintMask
          let found = try field.u32()
          guard found == expected else {
            throw .invalid(field: "fingerprint", found: UInt64(found))
          }
          message.hasFingerprint = true
        // RFC 8489 §14.5: after MESSAGE-INTEGRITY all but FINGERPRINT is ignored.
        case _ where message.integrity != nil: continue
        case StunAttribute.Number.messageIntegrity, StunAttribute.Number.messageIntegritySHA256:
          // §14.6 lets a usage cut the longer one; neither ICE nor TURN does.
          let hash: IntegrityHash =
            number == StunAttribute.Number.messageIntegrity ? .sha1 : .sha256
          guard count == hash.rawValue else {
            throw .invalid(field: "integrity", found: UInt64(count))
          }
          message.integrity = value
          covered = Array(bytes[..<offset])
          let lengthThere = UInt16(offset + 4 + count - headerCount)
          covered[2] = UInt8(lengthThere >> 8)
          covered[3] = UInt8(lengthThere & 0xFF)
        default:
          message.attributes.append(
            try StunAttribute(number: number, value: value, transactionID: transactionID))
        }
      }
      self.message = message
      self.covered = covered
    }
  }
}
