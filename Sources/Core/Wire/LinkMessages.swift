/// A message of stream 0 of a link: type u8, then the message.
package enum LinkMessage: WireMessage {
  case hello(Hello)
  case proof(Proof)
  case identity(Identity)
  case select(Select)
  case clock(Clock)

  package init(from reader: inout ByteReader) throws(WireError) {
    switch try reader.u8() {
    case 1: self = .hello(try Hello(from: &reader))
    case 2: self = .proof(try Proof(from: &reader))
    case 3: self = .identity(try Identity(from: &reader))
    case 4: self = .select(try Select(from: &reader))
    case 5: self = .clock(try Clock(from: &reader))
    case let other: throw .invalid(field: "link message", found: UInt64(other))
    }
  }

  package func write(to writer: inout ByteWriter) {
    switch self {
    case .hello(let message):
      writer.u8(1)
      message.write(to: &writer)
    case .proof(let message):
      writer.u8(2)
      message.write(to: &writer)
    case .identity(let message):
      writer.u8(3)
      message.write(to: &writer)
    case .select(let message):
      writer.u8(4)
      message.write(to: &writer)
    case .clock(let message):
      writer.u8(5)
      message.write(to: &writer)
    }
  }
}

/// The first message both ways: who claims to be here.
///
///     version u8 | sid 16 | capabilities u32
package struct Hello: WireMessage {
  package static let currentVersion: UInt8 = 1
  /// Bit 0 of `capabilities`: pings may be answered by `ClockedPong`.
  package static let takesClockedPong: UInt32 = 1
  package var version: UInt8
  package var session: SessionID
  /// A bit for each optional part of the protocol; unknown bits are ignored.
  package var capabilities: UInt32

  package init(version: UInt8 = currentVersion, session: SessionID, capabilities: UInt32) {
    self.version = version
    self.session = session
    self.capabilities = capabilities
  }

  package init(from reader: inout ByteReader) throws(WireError) {
    version = try reader.u8()
    session = try SessionID(from: &reader)
    capabilities = try reader.u32()
  }

  package func write(to writer: inout ByteWriter) {
    writer.u8(version)
    session.write(to: &writer)
    writer.u32(capabilities)
  }
}

/// Shows possession of the room's key: an HMAC-SHA256 over what this link negotiated.
package struct Proof: WireMessage {
  package static let count = 32
  /// 32 bytes.
  package var code: [UInt8]

  package init(code: [UInt8]) { self.code = code }
  package init(from reader: inout ByteReader) throws(WireError) {
    code = try reader.bytes(Self.count)
  }
  package func write(to writer: inout ByteWriter) { writer.append(code) }
}

/// Who it is: certificates, and a signature by the leaf's key over what this link negotiated.
///
///     count u8 | count × certificate field | signature field | name field
package struct Identity: WireMessage {
  /// DER, leaf first; 1…8 certificates of at most 4 096 bytes.
  package var certificateChain: [[UInt8]]
  /// DER ECDSA signature, at most 256 bytes.
  package var signature: [UInt8]
  /// UTF-8, at most 256 bytes; a claim like any other text of a peer.
  package var displayName: String

  package static let chainLimit = 8
  package static let certificateLimit = 4_096
  package static let nameLimit = 256

  package init(certificateChain: [[UInt8]], signature: [UInt8], displayName: String) {
    self.certificateChain = certificateChain
    self.signature = signature
    self.displayName = displayName
  }

  package init(from reader: inout ByteReader) throws(WireError) {
    let count = Int(try reader.u8())
    guard count >= 1 else { throw .invalid(field: "certificates", found: 0) }
    guard count <= Self.chainLimit else {
      throw .tooLong(field: "certificates", found: count, limit: Self.chainLimit)
    }
    certificateChain = []
    for _ in 0..<count {
      certificateChain.append(
        try reader.field("certificate", limit: Self.certificateLimit))
    }
    signature = try reader.field("signature", limit: 256)
    let name = try reader.field("name", limit: Self.nameLimit)
    guard let text = String(validating: name, as: UTF8.self) else {
      throw .invalid(field: "name", found: UInt64(name.count))
    }
    displayName = text
  }

  package func write(to writer: inout ByteWriter) {
    writer.u8(UInt8(certificateChain.count))
    for certificate in certificateChain { writer.field(certificate) }
    writer.field(signature)
    writer.field(Array(displayName.utf8))
  }
}

/// The lower session's choice: "send on the link that this came on". The highest number wins.
package struct Select: WireMessage {
  package var number: UInt32

  package init(number: UInt32) { self.number = number }
  package init(from reader: inout ByteReader) throws(WireError) { number = try reader.u32() }
  package func write(to writer: inout ByteWriter) { writer.u32(number) }
}

/// What the sender's monotonic clock showed when this left, in NTP's format: the clock of its sender
/// reports. Behind IDENTITY, before any media: how fast something can come is known before
/// something comes that waited somewhere.
package struct Clock: WireMessage {
  package var time: UInt64

  package init(time: UInt64) { self.time = time }
  package init(from reader: inout ByteReader) throws(WireError) { time = try reader.u64() }
  package func write(to writer: inout ByteWriter) { writer.u64(time) }
}
