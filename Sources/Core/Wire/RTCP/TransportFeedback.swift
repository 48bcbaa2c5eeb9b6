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
    let symbols = try Self.symbols(packets, from: &header.body)
    arrivals = []
    arrivals.reserveCapacity(packets)
    for symbol in symbols {
      switch symbol {
      case .missing: arrivals.append(nil)
      case .small: arrivals.append(Int16(try header.body.u8()))
      case .large: arrivals.append(Int16(bitPattern: try header.body.u16()))
      }
    }
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
      Self.write(arrivals.map(Symbol.init), to: &writer)
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

  private static func symbols(
    _ packets: Int, from reader: inout ByteReader
  ) throws(WireError) -> [Symbol] {
    var symbols: [Symbol] = []
    symbols.reserveCapacity(packets)
    while symbols.count < packets {
      let chunk = try reader.u16()
      let room = packets - symbols.count
      if chunk & 0x8000 == 0 {
        let symbol = try symbol(chunk >> 13 & 3)
        symbols.append(
          contentsOf: repeatElement(symbol, count: min(Int(chunk) & runLimit, room)))
        guard chunk & 0x1FFF != 0 else { throw .invalid(field: "feedback run", found: 0) }
      } else if chunk & 0x4000 == 0 {
        for at in 0..<min(14, room) {
          symbols.append(try symbol(chunk >> (13 - at) & 1))
        }
      } else {
        for at in 0..<min(7, room) {
          symbols.append(try symbol(chunk >> (12 - 2 * at) & 3))
        }
      }
    }
    return symbols
  }

  private static func symbol(_ bits: UInt16) throws(WireError) -> Symbol {
    guard let symbol = Symbol(rawValue: bits) else {
      throw .invalid(field: "feedback symbol", found: UInt64(bits))
    }
    return symbol
  }

  /// A run where one is longer than a vector, else the vector that holds the next symbols.
  private static func write(_ symbols: [Symbol], to writer: inout ByteWriter) {
    var at = 0
    while at < symbols.count {
      var run = 1
      while at + run < symbols.count, run < runLimit, symbols[at + run] == symbols[at] { run += 1 }
      let next14 = symbols[at..<min(at + 14, symbols.count)]
      let isTwoValued = !next14.contains(.large)
      if run >= (isTwoValued ? 14 : 7) || at + run == symbols.count {
        writer.u16(symbols[at].rawValue << 13 | UInt16(run))
        at += run
      } else if isTwoValued {
        var chunk: UInt16 = 0x8000
        for (place, symbol) in next14.enumerated() { chunk |= symbol.rawValue << (13 - place) }
        writer.u16(chunk)
        at += next14.count
      } else {
        var chunk: UInt16 = 0xC000
        let next7 = next14.prefix(7)
        for (place, symbol) in next7.enumerated() { chunk |= symbol.rawValue << (12 - 2 * place) }
        writer.u16(chunk)
        at += next7.count
      }
    }
  }
}
