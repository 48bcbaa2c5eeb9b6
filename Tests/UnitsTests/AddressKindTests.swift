import Testing
import Units

@Suite struct AddressKindTests {
  @Test func `addresses that mean nothing elsewhere are known at both ends of their ranges`() {
    let inside: [IPAddress] = [
      .v4(10, 0, 0, 0), .v4(10, 255, 255, 255), .v4(172, 16, 0, 0), .v4(172, 31, 255, 255),
      .v4(192, 168, 0, 0), .v4(192, 168, 255, 255), .v4(100, 64, 0, 0), .v4(100, 127, 255, 255),
      .v4(169, 254, 1, 1), .loopbackV4, .loopbackV6, v6(0xFC), v6(0xFD), v6(0xFE, 0x80),
    ]
    let outside: [IPAddress] = [
      .v4(9, 255, 255, 255), .v4(11, 0, 0, 0), .v4(172, 15, 255, 255), .v4(172, 32, 0, 0),
      .v4(192, 167, 255, 255), .v4(192, 169, 0, 0), .v4(100, 63, 255, 255), .v4(100, 128, 0, 0),
      .v4(203, 0, 113, 1), v6(0x20, 0x01), v6(0xFB), v6(0xFE, 0xC0),
    ]
    #expect(inside.filter { !$0.isInternal } == [])
    #expect(outside.filter(\.isInternal) == [])
  }

  private func v6(_ first: UInt8, _ second: UInt8 = 0) -> IPAddress {
    IPAddress(bytes: [first, second] + [UInt8](repeating: 0, count: 13) + [1])!
  }
}
