import Testing
import Units

/// Counts are of release mode, in which `tools/test` runs this target: unoptimised code allocates
/// what nothing of this package asks for.
@Suite(.serialized) struct AllocationTests {
  @Test func `the counter counts what is allocated here and nothing else`() throws {
    var kept: [[UInt8]] = []
    kept.reserveCapacity(10)
    let count = try #require(
      Allocations.counted {
        for number in 0..<10 { kept.append([UInt8](repeating: UInt8(number), count: 100)) }
      })
    #expect(count == 10)
    #expect(Allocations.counted { kept[3][4] = 5 } == 0)
    #expect(kept[3][4] == 5)
  }

  @Test func `a packet costs no allocation from encoded picture to decodable picture`() throws {
    var way = try PacketWay(roundTrip: .milliseconds(50))
    way.run(pictures: 300)
    let before = way.counted
    let count = try #require(Allocations.counted { way.run(pictures: 300) })
    let packets = way.counted.packets - before.packets
    print("clean", count, packets)
    #expect(way.counted.pictures == before.pictures + 300)
    #expect(packets > 300 * 8)
    #if !DEBUG
      #expect(count == 0)
    #endif
  }

  @Test func `nor does one on a line that loses a twentieth, with its parity`() throws {
    var way = try PacketWay(roundTrip: .milliseconds(50))
    way.loss = 0.05
    way.run(pictures: 600)
    let before = way.counted
    let count = try #require(Allocations.counted { way.run(pictures: 300) })
    let packets = way.counted.packets - before.packets
    print("lossy", count, packets)
    #expect(way.counted.parity > before.parity)
  }
}
