package import Units

/// The payload of a retransmission: the original's sequence number, then its payload (RFC 4588 §4).
package struct RetransmissionPayload: WireMessage {
  package var original: SequenceNumber
  package var payload: ArraySlice<UInt8>

  package init(original: SequenceNumber, payload: ArraySlice<UInt8>) {
    self.original = original
    self.payload = payload
  }

  package init(from reader: inout ByteReader) throws(WireError) {
    original = SequenceNumber(try reader.u16())
    payload = reader.restPart()
  }

  package func write(to writer: inout ByteWriter) {
    writer.u16(original.value)
    writer.append(payload)
  }
}
