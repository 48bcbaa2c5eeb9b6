/// An IPv4 or IPv6 address: 4 or 16 bytes in network order. IPv4-mapped IPv6 is unwrapped.
public struct IPAddress: Hashable, Sendable {
  public let bytes: [UInt8]

  /// `nil` unless there are 4 or 16 bytes.
  public init?(bytes: [UInt8]) {
    switch bytes.count {
    case 4: self.bytes = bytes
    case 16:
      let mapped = bytes[0..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
      self.bytes = mapped ? Array(bytes[12...]) : bytes
    default: return nil
    }
  }

  public static func v4(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) -> IPAddress {
    IPAddress(validated: [a, b, c, d])
  }
  public static let loopbackV4 = IPAddress.v4(127, 0, 0, 1)
  public static let loopbackV6 = IPAddress(validated: [UInt8](repeating: 0, count: 15) + [1])

  private init(validated bytes: [UInt8]) { self.bytes = bytes }

  public var isV4: Bool { bytes.count == 4 }
  public var isLoopback: Bool { isV4 ? bytes[0] == 127 : self == .loopbackV6 }
  public var isUnspecified: Bool { bytes.allSatisfy { $0 == 0 } }
  public var isMulticast: Bool { isV4 ? bytes[0] & 0xF0 == 0xE0 : bytes[0] == 0xFF }
  /// 169.254/16 or fe80::/10.
  public var isLinkLocal: Bool {
    isV4
      ? bytes[0] == 169 && bytes[1] == 254
      : bytes[0] == 0xFE && bytes[1] & 0xC0 == 0x80
  }
  /// Means nothing outside of a network of its own: RFC 1918, RFC 6598 (100.64/10), RFC 4193
  /// (fc00::/7), link-local and loopback addresses.
  public var isInternal: Bool {
    if isLinkLocal || isLoopback { return true }
    guard isV4 else { return bytes[0] & 0xFE == 0xFC }
    return switch bytes[0] {
    case 10: true
    case 100: bytes[1] & 0xC0 == 64
    case 172: bytes[1] & 0xF0 == 16
    case 192: bytes[1] == 168
    default: false
    }
  }
}

extension IPAddress: CustomStringConvertible {
  /// Dotted quad, or RFC 5952's form with the longest run of zero groups shortened.
  public var description: String {
    if isV4 { return bytes.map(String.init).joined(separator: ".") }
    let groups = stride(from: 0, to: 16, by: 2).map {
      UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1])
    }
    var best = 0..<0
    var start = 0
    while start < 8 {
      var end = start
      while end < 8, groups[end] == 0 { end += 1 }
      if end - start > max(1, best.count) { best = start..<end }
      start = max(end, start + 1)
    }
    let text = { (part: ArraySlice<UInt16>) in
      part.map { String($0, radix: 16) }.joined(separator: ":")
    }
    if best.isEmpty { return text(groups[...]) }
    return text(groups[..<best.lowerBound]) + "::" + text(groups[best.upperBound...])
  }
}

/// An address and a port.
public struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
  public var ip: IPAddress
  public var port: UInt16

  public init(_ ip: IPAddress, port: UInt16) {
    self.ip = ip
    self.port = port
  }

  public var description: String { ip.isV4 ? "\(ip):\(port)" : "[\(ip)]:\(port)" }
}
