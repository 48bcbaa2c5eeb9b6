/// What a simulated TLS or DTLS record holds; the numbers are RFC 8446's content types.
enum RecordKind: UInt8 {
  case alert = 21
  case handshake = 22
  case application = 23
}

/// Records with the overhead of the real ones: 5 bytes of header on a stream (RFC 8446 §5.1), 13 on
/// datagrams (RFC 6347 §4.1), 17 or 24 more where sealed.
struct SessionRecord {
  var kind: RecordKind
  /// Counted by the sender; carried on datagrams, implied on a stream.
  var sequence: UInt64
  var body: [UInt8]

  static let streamHeaderBytes = 5
  static let datagramHeaderBytes = 13

  func written(toDatagram isDatagram: Bool) -> [UInt8] {
    var bytes: [UInt8] = [kind.rawValue, 0xFE, 0xFD]
    bytes.reserveCapacity(body.count + Self.datagramHeaderBytes)
    if isDatagram {
      for shift in stride(from: UInt64(56), through: 0, by: -8) {
        bytes.append(UInt8(truncatingIfNeeded: sequence >> shift))
      }
    }
    bytes.append(UInt8(truncatingIfNeeded: body.count >> 8))
    bytes.append(UInt8(truncatingIfNeeded: body.count))
    bytes += body
    return bytes
  }

  /// The record of one datagram; `nil` unless header and length fit exactly.
  init?(datagram bytes: [UInt8]) {
    guard bytes.count >= Self.datagramHeaderBytes, let kind = RecordKind(rawValue: bytes[0]),
      bytes[1] == 0xFE, bytes[2] == 0xFD,
      Int(bytes[11]) << 8 | Int(bytes[12]) == bytes.count - Self.datagramHeaderBytes
    else { return nil }
    self.kind = kind
    sequence = bytes[3..<11].reduce(0) { $0 << 8 | UInt64($1) }
    body = Array(bytes[Self.datagramHeaderBytes...])
  }

  init(kind: RecordKind, sequence: UInt64, body: [UInt8]) {
    self.kind = kind
    self.sequence = sequence
    self.body = body
  }
}

/// Cuts a stream into records.
struct RecordStream {
  enum Step {
    case record(SessionRecord)
    case needsMore
    /// The stream can't be cut any further.
    case broken
  }

  private var buffer: [UInt8] = []
  private var start = 0
  private var sequence: UInt64 = 0

  mutating func append(_ bytes: [UInt8]) {
    if start == buffer.count {
      buffer.removeAll(keepingCapacity: true)
      start = 0
    }
    buffer += bytes
  }

  mutating func next() -> Step {
    let header = SessionRecord.streamHeaderBytes
    guard buffer.count - start >= header else { return .needsMore }
    guard let kind = RecordKind(rawValue: buffer[start]), buffer[start + 1] == 0xFE,
      buffer[start + 2] == 0xFD
    else { return .broken }
    let count = Int(buffer[start + 3]) << 8 | Int(buffer[start + 4])
    guard buffer.count - start >= header + count else { return .needsMore }
    let body = Array(buffer[start + header..<start + header + count])
    start += header + count
    defer { sequence += 1 }
    return .record(SessionRecord(kind: kind, sequence: sequence, body: body))
  }
}

/// RFC 6347 §4.1.2.6: each sequence number is taken once; older than 64 behind the newest is not.
struct ReplayWindow {
  private var newest: UInt64?
  private var seen: UInt64 = 0

  func admits(_ sequence: UInt64) -> Bool {
    guard let newest else { return true }
    if sequence > newest { return true }
    let age = newest - sequence
    return age < 64 && seen & (1 << age) == 0
  }

  mutating func take(_ sequence: UInt64) {
    guard let newest else {
      newest = sequence
      seen = 1
      return
    }
    if sequence > newest {
      let step = sequence - newest
      seen = step < 64 ? seen << step | 1 : 1
      self.newest = sequence
    } else {
      seen |= 1 << (newest - sequence)
    }
  }
}
