package import Units

/// An attribute of a STUN message (RFC 8489 §14, RFC 8445 §16.1).
package enum StunAttribute: Hashable, Sendable {
  /// At most 508 bytes.
  case username([UInt8])
  case xorMappedAddress(SocketAddress)
  /// 300…699, with words for people.
  case errorCode(Int, reason: [UInt8])
  case unknownAttributes([UInt16])
  case priority(UInt32)
  case useCandidate
  /// The tie-breaker of who says that it is controlled, or controlling.
  case iceControlled(UInt64)
  case iceControlling(UInt64)
  case unknown(number: UInt16, value: [UInt8])

  package enum Number {
    package static let username: UInt16 = 0x0006
    package static let messageIntegrity: UInt16 = 0x0008
    package static let errorCode: UInt16 = 0x0009
    package static let unknownAttributes: UInt16 = 0x000A
    package static let xorMappedAddress: UInt16 = 0x0020
    package static let priority: UInt16 = 0x0024
    package static let useCandidate: UInt16 = 0x0025
    package static let fingerprint: UInt16 = 0x8028
    package static let iceControlled: UInt16 = 0x8029
    package static let iceControlling: UInt16 = 0x802A
  }

  /// A request with an unknown attribute below 0x8000 must be refused (RFC 8489 §6.3.1).
  package var isUnknownAndRequired: UInt16? {
    if case .unknown(let number, _) = self, number < 0x8000 { return number }
    return nil
  }

  init(number: UInt16, value: [UInt8], transactionID: [UInt8]) throws(WireError) {
    var reader = ByteReader(value)
    switch number {
    case Number.username:
      guard value.count <= 508 else {
        throw .tooLong(field: "USERNAME", found: value.count, limit: 508)
      }
      self = .username(reader.rest())
    case Number.xorMappedAddress:
      self = .xorMappedAddress(
        try Self.address(from: &reader, transactionID: transactionID))
    case Number.errorCode:
      try reader.skip(2)
      let hundreds = try reader.u8()
      let rest = try reader.u8()
      guard (3...6).contains(hundreds & 7), rest < 100 else {
        throw .invalid(field: "ERROR-CODE", found: UInt64(hundreds) << 8 | UInt64(rest))
      }
      self = .errorCode(Int(hundreds & 7) * 100 + Int(rest), reason: reader.rest())
    case Number.unknownAttributes:
      var numbers: [UInt16] = []
      while !reader.isAtEnd { numbers.append(try reader.u16()) }
      self = .unknownAttributes(numbers)
    case Number.priority: self = .priority(try reader.u32())
    case Number.useCandidate: self = .useCandidate
    case Number.iceControlled: self = .iceControlled(try reader.u64())
    case Number.iceControlling: self = .iceControlling(try reader.u64())
    default: self = .unknown(number: number, value: reader.rest())
    }
    try reader.finish()
  }

  func write(to writer: inout ByteWriter, transactionID: [UInt8]) {
    let (number, value) = encodedValue(transactionID: transactionID)
    writer.u16(number)
    writer.u16(UInt16(value.count))
    writer.append(value)
    writer.append([UInt8](repeating: 0, count: (4 - value.count % 4) % 4))
  }

  private func encodedValue(transactionID: [UInt8]) -> (UInt16, [UInt8]) {
    var writer = ByteWriter()
    switch self {
    case .username(let name): return (Number.username, name)
    case .useCandidate: return (Number.useCandidate, [])
    case .unknown(let number, let value): return (number, value)
    case .xorMappedAddress(let address):
      writer.u8(0)
      writer.u8(address.ip.isV4 ? 1 : 2)
      writer.u16(address.port ^ UInt16(StunMessage.magicCookie >> 16))
      writer.append(Self.masked(address.ip.bytes, transactionID: transactionID))
      return (Number.xorMappedAddress, writer.bytes)
    case .errorCode(let code, let reason):
      writer.u16(0)
      writer.u8(UInt8(code / 100))
      writer.u8(UInt8(code % 100))
      writer.append(reason)
      return (Number.errorCode, writer.bytes)
    case .unknownAttributes(let numbers):
      for number in numbers { writer.u16(number) }
      return (Number.unknownAttributes, writer.bytes)
    case .priority(let priority):
      writer.u32(priority)
      return (Number.priority, writer.bytes)
    case .iceControlled(let tieBreaker):
      writer.u64(tieBreaker)
      return (Number.iceControlled, writer.bytes)
    case .iceControlling(let tieBreaker):
      writer.u64(tieBreaker)
      return (Number.iceControlling, writer.bytes)
    }
  }

  /// RFC 8489 §14.2. The IP address is taken as it stands: were an IPv4-mapped one unwrapped
  /// before unmasking, the mask would not fit.
  private static func address(
    from reader: inout ByteReader, transactionID: [UInt8]
  ) throws(WireError) -> SocketAddress {
    try reader.skip(1)
    let family = try reader.u8()
    guard family == 1 || family == 2 else {
      throw .invalid(field: "address family", found: UInt64(family))
    }
    let port = try reader.u16() ^ UInt16(StunMessage.magicCookie >> 16)
    let bytes = try reader.bytes(family == 1 ? 4 : 16)
    guard let ip = IPAddress(bytes: masked(bytes, transactionID: transactionID)) else {
      throw .invalid(field: "address family", found: UInt64(family))
    }
    return SocketAddress(ip, port: port)
  }

  private static func masked(_ bytes: [UInt8], transactionID: [UInt8]) -> [UInt8] {
    let mask: [UInt8] = [0x21, 0x12, 0xA4, 0x42] + transactionID
    return zip(bytes, mask).map { $0 ^ $1 }
  }
}
