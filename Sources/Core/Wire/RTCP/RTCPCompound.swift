/// One RTCP frame: packets after one another (RFC 3550 §6.1), of reduced size (RFC 5506), so that
/// any kind may come first or alone. Kinds that p2pcall does not know are read over and not kept.
package struct RTCPCompound: WireMessage {
  package enum Packet: Equatable, Sendable {
    case senderReport(SenderReport)
    case receiverReport(ReceiverReport)
    case nack(GenericNack)
    case pictureLoss(PictureLossIndication)
    case transportFeedback(TransportFeedback)
  }
  package var packets: [Packet]

  package init(_ packets: [Packet]) { self.packets = packets }

  package init(from reader: inout ByteReader) throws(WireError) {
    packets = []
    try decode(from: &reader)
  }

  /// Becomes what `bytes` hold, in the memory of what it was; empty after an error.
  package mutating func decode(_ bytes: ArraySlice<UInt8>) throws(WireError) {
    var reader = ByteReader(bytes)
    do throws(WireError) {
      try decode(from: &reader)
    } catch {
      packets.removeAll(keepingCapacity: true)
      throw error
    }
  }

  private mutating func decode(from reader: inout ByteReader) throws(WireError) {
    var memory: [Int16?] = []
    if case .transportFeedback(let last) = packets.first { memory = last.arrivals }
    packets.removeAll(keepingCapacity: true)
    while !reader.isAtEnd {
      var whole = reader
      let header = try RTCPHeader(from: &reader)
      switch (header.type, header.count) {
      case (RTCPHeader.senderReport, _):
        packets.append(.senderReport(try SenderReport(from: &whole)))
      case (RTCPHeader.receiverReport, _):
        packets.append(.receiverReport(try ReceiverReport(from: &whole)))
      case (RTCPHeader.transportLayerFeedback, GenericNack.format):
        packets.append(.nack(try GenericNack(from: &whole)))
      case (RTCPHeader.transportLayerFeedback, TransportFeedback.format):
        // Moved: with a second holder the memory could not be used again.
        var taken: [Int16?] = []
        swap(&taken, &memory)
        packets.append(
          .transportFeedback(try TransportFeedback(from: &whole, reusing: consume taken)))
      case (RTCPHeader.payloadSpecificFeedback, PictureLossIndication.format):
        packets.append(.pictureLoss(try PictureLossIndication(from: &whole)))
      default: break
      }
    }
  }

  package func write(to writer: inout ByteWriter) {
    for packet in packets {
      switch packet {
      case .senderReport(let report): report.write(to: &writer)
      case .receiverReport(let report): report.write(to: &writer)
      case .nack(let nack): nack.write(to: &writer)
      case .pictureLoss(let indication): indication.write(to: &writer)
      case .transportFeedback(let feedback): feedback.write(to: &writer)
      }
    }
  }
}
