/// RTCP RR (RFC 3550 §6.4.2): reception of the peer's sources, from one that reports only.
package struct ReceiverReport: WireMessage {
  package var source: UInt32
  /// At most 31.
  package var reports: [ReceptionReport]

  package init(source: UInt32, reports: [ReceptionReport]) {
    self.source = source
    self.reports = Array(reports.prefix(31))
  }

  package init(from reader: inout ByteReader) throws(WireError) {
    var header = try RTCPHeader(from: &reader, type: RTCPHeader.receiverReport, format: nil)
    source = try header.body.u32()
    reports = []
    for _ in 0..<header.count { reports.append(try ReceptionReport(from: &header.body)) }
  }

  package func write(to writer: inout ByteWriter) {
    RTCPHeader.write(
      type: RTCPHeader.receiverReport, count: UInt8(reports.count), to: &writer
    ) { writer in
      writer.u32(source)
      for report in reports { report.write(to: &writer) }
    }
  }
}
