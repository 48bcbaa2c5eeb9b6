package import Units

/// An attribute of a STUN message (RFC 8489 §14, RFC 8656 §18, RFC 8445 §16.1).
package enum StunAttribute: Hashable, Sendable {
  case mappedAddress(SocketAddress)
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
  /// A channel number of TURN, `ChannelData.channels` where it is right.
  case channelNumber(UInt16)
  /// Seconds.
  case lifetime(UInt32)
  case xorPeerAddress(SocketAddress)
  /// What came from, or is to go to, a peer.
  case data([UInt8])
  /// At most `textLimit` bytes, as `nonce` and `software`.
  case realm([UInt8])
  case nonce([UInt8])
  case xorRelayedAddress(SocketAddress)
  case requestedAddressFamily(StunFamily)
  /// An IP protocol's number; TURN knows 17, UDP, alone.
  case requestedTransport(UInt8)
  /// SHA-256 of user name and realm, 32 bytes (RFC 8489 §14.4).
  case userHash([UInt8])
  case passwordAlgorithm(StunPasswordAlgorithm)
  /// The best first.
  case passwordAlgorithms([StunPasswordAlgorithm])
  case software([UInt8])
  case alternateServer(SocketAddress)
  case unknown(number: UInt16, value: [UInt8])

  package enum Number {
    package static let mappedAddress: UInt16 = 0x0001
    package static let username: UInt16 = 0x0006
    package static let messageIntegrity: UInt16 = 0x0008
    package static let errorCode: UInt16 = 0x0009
    package static let unknownAttributes: UInt16 = 0x000A
    package static let channelNumber: UInt16 = 0x000C
    package static let lifetime: UInt16 = 0x000D
    package static let xorPeerAddress: UInt16 = 0x0012
    package static let data: UInt16 = 0x0013
    package static let realm: UInt16 = 0x0014
    package static let nonce: UInt16 = 0x0015
    package static let xorRelayedAddress: UInt16 = 0x0016
    package static let requestedAddressFamily: UInt16 = 0x0017
    package static let requestedTransport: UInt16 = 0x0019
    package static let messageIntegritySHA256: UInt16 = 0x001C
    package static let passwordAlgorithm: UInt16 = 0x001D
    package static let userHash: UInt16 = 0x001E
    package static let xorMappedAddress: UInt16 = 0x0020
    package static let priority: UInt16 = 0x0024
    package static let useCandidate: UInt16 = 0x0025
    package static let passwordAlgorithms: UInt16 = 0x8002
    package static let software: UInt16 = 0x8022
    package static let alternateServer: UInt16 = 0x8023
    package static let fingerprint: UInt16 = 0x8028
    package static let iceControlled: UInt16 = 0x8029
    package static let iceControlling: UInt16 = 0x802A
  }

  /// Fewer than 128 characters, which may be quoted: so many bytes must be taken (RFC 8489 §14.9).
  package static let textLimit = 763

  /// A request with an unknown attribute below 0x8000 must be refused (RFC 8489 §6.3.1).
  package var isUnknownAndRequired: UInt16? {
    if case .unknown(let number, _) = self, number < 0x8000 { return number }
    return nil
  }

  init(number: UInt16, value: [UInt8], transactionID: [UInt8]) throws(WireError) {
    var reader = ByteReader(value)
    switch number {
    case Number.mappedAddress: self = .mappedAddress(try reader.stunAddress())
    case Number.username: self = .username(try reader.text("USERNAME", limit: 508))
    case Number.xorMappedAddress:
      self = .xorMappedAddress(try reader.stunAddress(masked: transactionID))
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
    case Number.channelNumber:
      self = .channelNumber(try reader.u16())
      try reader.skip(2)
    case Number.lifetime: self = .lifetime(try reader.u32())
    case Number.xorPeerAddress:
      self = .xorPeerAddress(try reader.stunAddress(masked: transactionID))
    case Number.data: self = .data(reader.rest())
    case Number.realm: self = .realm(try reader.text("REALM", limit: Self.textLimit))
    case Number.nonce: self = .nonce(try reader.text("NONCE", limit: Self.textLimit))
    case Number.xorRelayedAddress:
      self = .xorRelayedAddress(try reader.stunAddress(masked: transactionID))
    case Number.requestedAddressFamily:
      self = .requestedAddressFamily(try reader.stunFamily())
      try reader.skip(3)
    case Number.requestedTransport:
      self = .requestedTransport(try reader.u8())
      try reader.skip(3)
    case Number.userHash: self = .userHash(try reader.bytes(32))
    case Number.passwordAlgorithm: self = .passwordAlgorithm(try reader.passwordAlgorithm())
    case Number.passwordAlgorithms:
      var algorithms: [StunPasswordAlgorithm] = []
      while !reader.isAtEnd { algorithms.append(try reader.passwordAlgorithm()) }
      self = .passwordAlgorithms(algorithms)
    case Number.software: self = .software(try reader.text("SOFTWARE", limit: Self.textLimit))
    case Number.alternateServer: self = .alternateServer(try reader.stunAddress())
    default: self = .unknown(number: number, value: reader.rest())
    }
    try reader.finish()
  }

  func write(to writer: inout ByteWriter, transactionID: [UInt8]) {
    let (number, value) = encodedValue(transactionID: transactionID)
    writer.u16(number)
    writer.u16(UInt16(value.count))
    writer.append(value)
    writer.pad()
  }

  private func encodedValue(transactionID: [UInt8]) -> (UInt16, [UInt8]) {
    var writer = ByteWriter()
    switch self {
    case .username(let name): return (Number.username, name)
    case .useCandidate: return (Number.useCandidate, [])
    case .data(let data): return (Number.data, data)
    case .realm(let realm): return (Number.realm, realm)
    case .nonce(let nonce): return (Number.nonce, nonce)
    case .software(let name): return (Number.software, name)
    case .userHash(let hash): return (Number.userHash, hash)
    case .unknown(let number, let value): return (number, value)
    case .mappedAddress(let address):
      writer.stunAddress(address)
      return (Number.mappedAddress, writer.bytes)
    case .alternateServer(let address):
      writer.stunAddress(address)
      return (Number.alternateServer, writer.bytes)
    case .xorMappedAddress(let address):
      writer.stunAddress(address, masked: transactionID)
      return (Number.xorMappedAddress, writer.bytes)
    case .xorPeerAddress(let address):
      writer.stunAddress(address, masked: transactionID)
      return (Number.xorPeerAddress, writer.bytes)
    case .xorRelayedAddress(let address):
      writer.stunAddress(address, masked: transactionID)
      return (Number.xorRelayedAddress, writer.bytes)
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
    case .channelNumber(let channel):
      writer.u16(channel)
      writer.u16(0)
      return (Number.channelNumber, writer.bytes)
    case .lifetime(let seconds):
      writer.u32(seconds)
      return (Number.lifetime, writer.bytes)
    case .requestedAddressFamily(let family):
      writer.append([family.rawValue, 0, 0, 0])
      return (Number.requestedAddressFamily, writer.bytes)
    case .requestedTransport(let transport):
      writer.append([transport, 0, 0, 0])
      return (Number.requestedTransport, writer.bytes)
    case .passwordAlgorithm(let algorithm):
      writer.passwordAlgorithm(algorithm)
      return (Number.passwordAlgorithm, writer.bytes)
    case .passwordAlgorithms(let algorithms):
      for algorithm in algorithms { writer.passwordAlgorithm(algorithm) }
      return (Number.passwordAlgorithms, writer.bytes)
    }
  }
}
