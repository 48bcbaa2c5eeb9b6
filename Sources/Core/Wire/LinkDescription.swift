package import Units

/// Where a session can be reached.
///
///     transport u8 | kind u8 | foundation u32 | priority u32 | address
package struct Candidate: WireMessage, Hashable {
  package enum Transport: UInt8, Hashable, Sendable {
    case udp = 1
    /// A listening address; who dials it does so from an ephemeral port.
    case tcp = 2
  }
  /// RFC 8445 §5.1.1; peer-reflexive ones are learned, never told.
  package enum Kind: UInt8, Hashable, Sendable {
    case host = 1
    case serverReflexive = 2
    case relayed = 3
  }
  package var transport: Transport
  package var kind: Kind
  /// Equal for candidates that are likely to fare alike (RFC 8445 §5.1.1.3).
  package var foundation: UInt32
  /// RFC 8445 §5.1.2.1.
  package var priority: UInt32
  package var address: SocketAddress

  package init(
    transport: Transport, kind: Kind, foundation: UInt32, priority: UInt32,
    address: SocketAddress
  ) {
    self.transport = transport
    self.kind = kind
    self.foundation = foundation
    self.priority = priority
    self.address = address
  }

  package init(from reader: inout ByteReader) throws(WireError) {
    let transport = try reader.u8()
    guard let known = Transport(rawValue: transport) else {
      throw .invalid(field: "transport", found: UInt64(transport))
    }
    self.transport = known
    let kind = try reader.u8()
    guard let known = Kind(rawValue: kind) else {
      throw .invalid(field: "candidate kind", found: UInt64(kind))
    }
    self.kind = known
    foundation = try reader.u32()
    priority = try reader.u32()
    address = try SocketAddress(from: &reader)
  }

  package func write(to writer: inout ByteWriter) {
    writer.u8(transport.rawValue)
    writer.u8(kind.rawValue)
    writer.u32(foundation)
    writer.u32(priority)
    address.write(to: &writer)
  }
}

/// The whole of what one session must know to reach another: the content of a sealed box.
///
///     key hash 32 | generation u32 | ufrag field | password field
///     | count u8 | count × candidate | ticket field
package struct LinkDescription: WireMessage, Hashable {
  /// SHA-256 of the SubjectPublicKeyInfo of the sender's link certificate, 32 bytes.
  package var certificateKeyHash: [UInt8]
  /// Rises with every ICE restart.
  package var generation: UInt32
  /// ICE characters, 4…32; fresh for each pair of sessions and generation.
  package var userFragment: [UInt8]
  /// ICE characters, 22…64; at least 128 random bits.
  package var password: [UInt8]
  /// At most 32.
  package var candidates: [Candidate]
  /// Empty where the room has no lobby; at most 512 bytes.
  package var ticket: [UInt8]

  package static let candidateLimit = 32
  package static let ticketLimit = 512

  package init(
    certificateKeyHash: [UInt8], generation: UInt32, userFragment: [UInt8], password: [UInt8],
    candidates: [Candidate], ticket: [UInt8] = []
  ) {
    self.certificateKeyHash = certificateKeyHash
    self.generation = generation
    self.userFragment = userFragment
    self.password = password
    self.candidates = candidates
    self.ticket = ticket
  }

  package init(from reader: inout ByteReader) throws(WireError) {
    certificateKeyHash = try reader.bytes(32)
    generation = try reader.u32()
    userFragment = try reader.iceCharacters("user fragment", count: 4...32)
    password = try reader.iceCharacters("password", count: 22...64)
    let count = Int(try reader.u8())
    guard count <= Self.candidateLimit else {
      throw .tooLong(field: "candidates", found: count, limit: Self.candidateLimit)
    }
    candidates = []
    for _ in 0..<count { candidates.append(try Candidate(from: &reader)) }
    ticket = try reader.field("ticket", limit: Self.ticketLimit)
  }

  package func write(to writer: inout ByteWriter) {
    writer.append(certificateKeyHash)
    writer.u32(generation)
    writer.field(userFragment)
    writer.field(password)
    writer.u8(UInt8(candidates.count))
    for candidate in candidates { candidate.write(to: &writer) }
    writer.field(ticket)
  }
}

extension SocketAddress: WireMessage {
  ///     bytes of the IP address u8 (4 or 16) | IP address | port u16
  package init(from reader: inout ByteReader) throws(WireError) {
    let count = try reader.u8()
    guard count == 4 || count == 16, let ip = IPAddress(bytes: try reader.bytes(Int(count)))
    else { throw .invalid(field: "address length", found: UInt64(count)) }
    self.init(ip, port: try reader.u16())
  }

  package func write(to writer: inout ByteWriter) {
    writer.u8(UInt8(ip.bytes.count))
    writer.append(ip.bytes)
    writer.u16(port)
  }
}

extension ByteReader {
  /// A field of ALPHA, DIGIT, "+" and "/" (RFC 8839 §5.4, `ice-char`).
  fileprivate mutating func iceCharacters(
    _ name: StaticStringName, count: ClosedRange<Int>
  ) throws(WireError) -> [UInt8] {
    let found = try field(name, limit: count.upperBound)
    guard found.count >= count.lowerBound else {
      throw .invalid(field: name, found: UInt64(found.count))
    }
    for character in found {
      switch character {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "+"), UInt8(ascii: "/"):
        continue
      default: throw .invalid(field: name, found: UInt64(character))
      }
    }
    return found
  }
}
