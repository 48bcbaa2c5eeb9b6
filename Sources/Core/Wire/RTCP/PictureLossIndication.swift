/// PLI (RFC 4585 §6.3.1): the receiver cannot go on without a key frame.
package struct PictureLossIndication: WireMessage {
  package var reporter: UInt32
  package var source: UInt32

  package init(reporter: UInt32, source: UInt32) {
    self.reporter = reporter
    self.source = source
  }

  package static let format: UInt8 = 1

  package init(from reader: inout ByteReader) throws(WireError) {
    var header = try RTCPHeader(
      from: &reader, type: RTCPHeader.payloadSpecificFeedback, format: Self.format)
    reporter = try header.body.u32()
    source = try header.body.u32()
    try header.body.finish()
  }

  package func write(to writer: inout ByteWriter) {
    RTCPHeader.write(
      type: RTCPHeader.payloadSpecificFeedback, count: Self.format, to: &writer
    ) { writer in
      writer.u32(reporter)
      writer.u32(source)
    }
  }
}
