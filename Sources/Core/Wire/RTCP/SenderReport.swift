/// RTCP SR (RFC 3550 §6.4.1): where a source's timestamps stand on the sender's clock.
///
/// `time` is the sender's monotonic clock in NTP's format, 32 bits of seconds and 32 of fraction:
/// all media of a peer share it, which is all that lip sync needs; it is not the time of day.
package struct SenderReport: WireMessage {
  package var source: UInt32
  package var time: UInt64
  package var timestamp: UInt32
  package var packetCount: UInt32
  package var byteCount: UInt32
  /// At most 31.
  package var reports: [ReceptionReport]

  package init(
    source: UInt32, time: UInt64, timestamp: UInt32, packetCount: UInt32, byteCount: UInt32,
    reports: [ReceptionReport] = []
  ) {
    self.source = source
    self.time = time
    self.timestamp = timestamp
    self.packetCount = packetCount
    self.byteCount = byteCount
    self.reports = Array(reports.prefix(31))
  }

  package init(from reader: inout ByteReader) throws(WireError) {
    var header = try RTCPHeader(from: &reader, type: RTCPHeader.senderReport, format: nil)
    source = try header.body.u32()
    time = try header.body.u64()
    timestamp = try header.body.u32()
    packetCount = try header.body.u32()
    byteCount = try header.body.u32()
    reports = []
    for _ in 0..<header.count { reports.append(try ReceptionReport(from: &header.body)) }
    // What is left is a profile's extension, allowed and not kept.
  }

  package func write(to writer: inout ByteWriter) {
    RTCPHeader.write(
      type: RTCPHeader.senderReport, count: UInt8(reports.count), to: &writer
    ) { writer in
      writer.u32(source)
      writer.u64(time)
      writer.u32(timestamp)
      writer.u32(packetCount)
      writer.u32(byteCount)
      for report in reports { report.write(to: &writer) }
    }
  }
}
