package import Units

/// An address family as STUN numbers it (RFC 8489 §14.1).
package enum StunFamily: UInt8, Hashable, Sendable {
  case v4 = 1
  case v6 = 2

  package init(_ ip: IPAddress) { self = ip.isV4 ? .v4 : .v6 }
}

/// How a long-term credential's key is made (RFC 8489 §14.11, §14.12).
package struct StunPasswordAlgorithm: Hashable, Sendable {
  package var number: UInt16
  /// Of the two algorithms that there are, none.
  package var parameters: [UInt8]

  package init(number: UInt16, parameters: [UInt8] = []) {
    self.number = number
    self.parameters = parameters
  }

  package static let md5 = StunPasswordAlgorithm(number: 1)
  package static let sha256 = StunPasswordAlgorithm(number: 2)
}

extension ByteReader {
  mutating func text(
    _ name: StaticStringName, limit: Int
  ) throws(WireError) -> [UInt8] {
    guard left <= limit else { throw .tooLong(field: name, found: left, limit: limit) }
    return rest()
  }

  mutating func stunFamily() throws(WireError) -> StunFamily {
    let number = try u8()
    guard let family = StunFamily(rawValue: number) else {
      throw .invalid(field: "address family", found: UInt64(number))
    }
    return family
  }

  /// As MAPPED-ADDRESS has it (RFC 8489 §14.1), and with a transaction as XOR-MAPPED-ADDRESS does
  /// (§14.2). The IP address is taken as it stands: were an IPv4-mapped one unwrapped before
  /// unmasking, the mask would not fit.
  mutating func stunAddress(
    masked transactionID: [UInt8]? = nil
  ) throws(WireError) -> SocketAddress {
    try skip(1)
    let family = try stunFamily()
    let mask = transactionID.map(addressMask) ?? [UInt8](repeating: 0, count: 16)
    let port = try u16() ^ (UInt16(mask[0]) << 8 | UInt16(mask[1]))
    let found = try bytes(family == .v4 ? 4 : 16)
    guard let ip = IPAddress(bytes: zip(found, mask).map { $0 ^ $1 }) else {
      throw .invalid(field: "address family", found: UInt64(family.rawValue))
    }
    return SocketAddress(ip, port: port)
  }

  mutating func passwordAlgorithm() throws(WireError) -> StunPasswordAlgorithm {
    let number = try u16()
    let count = Int(try u16())
    let parameters = try bytes(count)
    try skip(paddingCount(after: count))
    return StunPasswordAlgorithm(number: number, parameters: parameters)
  }
}

extension ByteWriter {
  mutating func stunAddress(_ address: SocketAddress, masked transactionID: [UInt8]? = nil) {
    let mask = transactionID.map(addressMask) ?? [UInt8](repeating: 0, count: 16)
    u8(0)
    u8(StunFamily(address.ip).rawValue)
    u16(address.port ^ (UInt16(mask[0]) << 8 | UInt16(mask[1])))
    append(zip(address.ip.bytes, mask).map { $0 ^ $1 })
  }

  mutating func passwordAlgorithm(_ algorithm: StunPasswordAlgorithm) {
    u16(algorithm.number)
    u16(UInt16(algorithm.parameters.count))
    append(algorithm.parameters)
    pad()
  }

  /// Zeros, until the count is a multiple of 4.
  mutating func pad() { append([UInt8](repeating: 0, count: paddingCount(after: count))) }
}

/// To the next multiple of 4.
func paddingCount(after count: Int) -> Int { (4 - count % 4) % 4 }

private func addressMask(_ transactionID: [UInt8]) -> [UInt8] {
  [0x21, 0x12, 0xA4, 0x42] + transactionID
}
