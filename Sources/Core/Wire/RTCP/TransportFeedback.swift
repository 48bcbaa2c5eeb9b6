package import Units

/// When each packet of a run of transport sequence numbers arrived
/// (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).
package struct TransportFeedback: WireMessage {
  package var reporter: UInt32
  package var source: UInt32
  /// The number that `arrivals[0]` is about; the following ones count up from it.
  package var base: SequenceNumber
  /// Time on the receiver's clock that the first arrival is counted from, in 64 ms, 24 bits.
  package var referenceTime: UInt32
  /// Counts feedback messages, so that a lost one is noticed.
  package var count: UInt8
  /// For each packet, how long it came after the one received before it in this list (the first:
  /// after `referenceTime`), in 250 µs; `nil` for a packet that has not arrived.
  package var arrivals: [Int16?]

  package init(
    reporter: UInt32, source: UInt32, base: SequenceNumber, referenceTime: UInt32, count: UInt8,
    arrivals: [Int16?]
  ) {
    precondition((1...Self.packetLimit).contains(arrivals.count), "callers bound the run")
    self.reporter = reporter
    self.source = source
    self.base = base
    self.referenceTime = referenceTime & 0xFF_FFFF
    self.count = count
    self.arrivals = arrivals
  }

  package static let format: UInt8 = 15
  /// Packets that one message may be about; the format would allow 65 535.
  package static let packetLimit = 4_096
  /// Units of `arrivals` in one of `referenceTime`.
  package static let ticksPerReference: Int64 = 256
  package static let tick = Interval.microseconds(250)

  package init(from reader: inout ByteReader) throws(WireError) {
    try self.init(from: &reader, reusing: [])
  }

  /// The same, with `arrivals` in the memory of an earlier message's.
  init(from reader: inout ByteReader, reusing memory: consuming [Int16?]) throws(WireError) {
    var header = try RTCPHeader(
      from: &reader, type: RTCPHeader.transportLayerFeedback, format: Self.format)
    reporter = try header.body.u32()
    source = try header.body.u32()
    base = SequenceNumber(try header.body.u16())
    let packets = Int(try header.body.u16())
    guard packets > 0 else { throw .invalid(field: "feedback packet count", found: 0) }
    guard packets <= Self.packetLimit else {
      throw .tooLong(field: "feedback packet count", found: packets, limit: Self.packetLimit)
    }
    referenceTime = try header.body.u24()
    count = try header.body.u8()
    // Twice over the symbols: the first time for where they end and the arrivals begin.
    var symbols = Symbols(from: header.body)
    var ahead = symbols
    for _ in 0..<packets { _ = try ahead.next() }
    header.body = ahead.chunks
    memory.removeAll(keepingCapacity: true)
    memory.reserveCapacity(packets)
    for _ in 0..<packets {
      switch try symbols.next() {
      case .missing: memory.append(nil)
      case .small: memory.append(Int16(try header.body.u8()))
      case .large: memory.append(Int16(bitPattern: try header.body.u16()))
      }
    }
    arrivals = memory
    // Up to three zero bytes fill the last word.
    guard header.body.left < 4 else { throw .trailing(header.body.left) }
  }

  package func write(to writer: inout ByteWriter) {
    RTCPHeader.write(
      type: RTCPHeader.transportLayerFeedback, count: Self.format, to: &writer
    ) { writer in
      let start = writer.count
      writer.u32(reporter)
      writer.u32(source)
      writer.u16(base.value)
      writer.u16(UInt16(arrivals.count))
      writer.u24(referenceTime)
      writer.u8(count)
      writeSymbols(to: &writer)
      for case .some(let arrival) in arrivals {
        if Symbol(arrival) == .small {
          writer.u8(UInt8(arrival))
        } else {
          writer.u16(UInt16(bitPattern: arrival))
        }
      }
      while (writer.count - start) % 4 != 0 { writer.u8(0) }
    }
  }
}

// MARK: - Packet status chunks, §3.1.3 and §3.1.4

extension TransportFeedback {
  private enum Symbol: UInt16 {
    case missing = 0
    case small = 1
    case large = 2

    init(_ arrival: Int16?) {
      guard let arrival else {
        self = .missing
        return
      }
      self = (0...255).contains(arrival) ? .small : .large
    }
  }

  private static let runLimit = 0x1FFF

  /// Reads symbols one by one from their chunks.
  private struct Symbols {
    /// Behind the chunk that is being read.
    var chunks: ByteReader
    private var chunk: UInt16 = 0
    /// Of the chunk, not read yet.
    private var left = 0

    init(from chunks: ByteReader) { self.chunks = chunks }

    mutating func next() throws(WireError) -> Symbol {
      if left == 0 { try begin() }
      left -= 1
      let bits =
        chunk & 0x8000 == 0
        ? chunk >> 13 & 3 : chunk & 0x4000 == 0 ? chunk >> left & 1 : chunk >> (2 * left) & 3
      guard let symbol = Symbol(rawValue: bits) else {
        throw .invalid(field: "feedback symbol", found: UInt64(bits))
      }
      return symbol
    }

    private mutating func begin() throws(WireError) {
      chunk = try chunks.u16()
      if chunk & 0x8000 == 0 {
        left = Int(chunk) & TransportFeedback.runLimit
        guard left > 0 else { throw .invalid(field: "feedback run", found: 0) }
      } else {
        left = chunk & 0x4000 == 0 ? 14 : 7
      }
    }
  }

  private func symbol(_ at: Int) -> Symbol { Symbol(arrivals[at]) }

  /// A run where one is longer than a vector, else the vector that holds the next symbols.
  private func writeSymbols(to writer: inout ByteWriter) {
    var at = 0
    while at < arrivals.count {
      let first = symbol(at)
      var run = 1
      while at + run < arrivals.count, run < Self.runLimit, symbol(at + run) == first { run += 1 }
      let next14 = at..<min(at + 14, arrivals.count)
      let isTwoValued = !next14.contains { symbol($0) == .large }
      if run >= (isTwoValued ? 14 : 7) || at + run == arrivals.count {
        writer.u16(first.rawValue << 13 | UInt16(run))
        at += run
      } else if isTwoValued {
        var chunk: UInt16 = 0x8000
        for place in next14 { chunk |= symbol(place).rawValue << (13 - (place - at)) }
        writer.u16(chunk)
        at += next14.count
      } else {
        var chunk: UInt16 = 0xC000
        let next7 = next14.prefix(7)
        for place in next7 { chunk |= symbol(place).rawValue << (12 - 2 * (place - at)) }
        writer.u16(chunk)
        at += next7.count
      }
    }
  }
}
