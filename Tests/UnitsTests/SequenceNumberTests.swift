import Testing
import Units

@Suite struct SequenceNumberTests {
  @Test func `indices go on rising when the wire number wraps`() {
    var unwrapper = SequenceUnwrapper()
    let first = unwrapper.index(of: SequenceNumber(65_534))
    let wrapped = [65_535, 0, 1].map { unwrapper.index(of: SequenceNumber($0)) - first }
    #expect(wrapped == [1, 2, 3])
  }

  @Test func `a late number gets the index below the highest`() {
    var unwrapper = SequenceUnwrapper()
    _ = unwrapper.index(of: SequenceNumber(2))
    let newest = unwrapper.index(of: SequenceNumber(5))
    #expect(unwrapper.index(of: SequenceNumber(65_535)) - newest == -6)
    #expect(unwrapper.index(of: SequenceNumber(6)) - newest == 1)
  }

  @Test func `timestamps go on rising when 32 bits wrap`() {
    var unwrapper = TimestampUnwrapper()
    let first = unwrapper.timestamp(of: .max - 100)
    #expect(unwrapper.timestamp(of: 860) - first == 961)
    #expect(unwrapper.timestamp(of: .max) - first == 100)
  }

  @Test func `the same seed draws the same numbers and another seed does not`() {
    var one = SeededRandom(seed: 7)
    var two = SeededRandom(seed: 7)
    var other = SeededRandom(seed: 8)
    let drawn = (0..<8).map { _ in one.next() }
    #expect(drawn == (0..<8).map { _ in two.next() })
    #expect(drawn != (0..<8).map { _ in other.next() })
  }
}

@Suite struct SocketAddressTests {
  @Test(
    arguments: [
      ([0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], "2001:db8::1"),
      ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], "::1"),
      ([0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8], "1:2:3:4:5:6:7:8"),
      ([0, 1, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 8], "1:0:0:4::8"),
      ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 192, 0, 2, 7], "192.0.2.7"),
    ] as [([UInt8], String)])
  func `addresses are written as RFC 5952 says`(bytes: [UInt8], text: String) {
    #expect(IPAddress(bytes: bytes)?.description == text)
  }
}
