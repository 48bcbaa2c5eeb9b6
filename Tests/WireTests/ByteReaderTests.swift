import Testing
import Wire

@Suite struct ByteReaderTests {
  private struct Sample: WireMessage {
    var kind: UInt8
    var name: [UInt8]

    init(kind: UInt8, name: [UInt8]) {
      self.kind = kind
      self.name = name
    }
    init(from reader: inout ByteReader) throws(WireError) {
      kind = try reader.u8()
      name = try reader.field("name", limit: 4)
    }
    func write(to writer: inout ByteWriter) {
      writer.u8(kind)
      writer.field(name)
    }
  }

  @Test func `a message of a byte and a field passes the four tests`() {
    checkMessage(Sample(kind: 7, name: [0x61, 0x62]), golden: [7, 0, 2, 0x61, 0x62])
  }

  @Test func `a field above its limit is refused before it is read`() {
    #expect(throws: WireError.tooLong(field: "name", found: 5, limit: 4)) {
      try Sample(decoding: [7, 0, 5, 1, 2, 3, 4, 5])
    }
  }
}
