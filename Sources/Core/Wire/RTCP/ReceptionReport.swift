/// What was received of one source (RFC 3550 §6.4.1): 24 bytes inside sender and receiver reports.
package struct ReceptionReport: Hashable, Sendable {
  package var source: UInt32
  /// Lost since the previous report, in 1/256.
  package var fractionLost: UInt8
  /// Lost since the beginning, 24 bits signed: duplicates make it negative.
  package var lost: Int32
  /// Highest sequence number received, wraps in the upper 16 bits.
  package var highestSequence: UInt32
  /// Interarrival jitter in timestamp units (RFC 3550 §6.4.1).
  package var jitter: UInt32
  /// Middle 32 bits of the newest sender report's time; 0 when there was none.
  package var lastSenderReport: UInt32
  /// Since that report arrived, in 1/65536 s.
  package var delaySinceSenderReport: UInt32

  package init(
    source: UInt32, fractionLost: UInt8, lost: Int32, highestSequence: UInt32, jitter: UInt32,
    lastSenderReport: UInt32, delaySinceSenderReport: UInt32
  ) {
    self.source = source
    self.fractionLost = fractionLost
    self.lost = min(max(lost, -0x80_0000), 0x7F_FFFF)
    self.highestSequence = highestSequence
    self.jitter = jitter
    self.lastSenderReport = lastSenderReport
    self.delaySinceSenderReport = delaySinceSenderReport
  }

  init(from reader: inout ByteReader) throws(WireError) {
    source = try reader.u32()
    fractionLost = try reader.u8()
    let lost = try reader.u24()
    self.lost = lost & 0x80_0000 == 0 ? Int32(lost) : Int32(lost) - 0x100_0000
    highestSequence = try reader.u32()
    jitter = try reader.u32()
    lastSenderReport = try reader.u32()
    delaySinceSenderReport = try reader.u32()
  }

  func write(to writer: inout ByteWriter) {
    writer.u32(source)
    writer.u8(fractionLost)
    writer.u24(UInt32(bitPattern: lost) & 0xFF_FFFF)
    writer.u32(highestSequence)
    writer.u32(jitter)
    writer.u32(lastSenderReport)
    writer.u32(delaySinceSenderReport)
  }
}
