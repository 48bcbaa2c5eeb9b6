import Testing
import Units

/// Counts are of release mode, in which `tools/test` runs this target: unoptimised code allocates
/// what nothing of this package asks for. Each runs in a process of its own, since the runtime's hook
/// is for all threads.
@Suite struct AllocationTests {
  private final class Thing {}

  @inline(never)
  private static func allocate(_ count: Int) {
    var last: [Thing] = []
    last.reserveCapacity(count)
    for _ in 0..<count { last.append(Thing()) }
    precondition(last.count == count)
  }

  @Test func `the counter counts what is allocated here and nothing else`() async {
    await #expect(processExitsWith: .success) {
      let ten = try #require(Allocations.counted { Self.allocate(10) })
      let thousand = try #require(Allocations.counted { Self.allocate(1_000) })
      #expect(ten >= 10)
      #expect(thousand - ten == 990)
    }
  }

  /// What is allocated follows time, with a report a second, not packets.
  @Test func `twice as many packets cost no allocation more, from encoded to decodable picture`()
    async
  {
    await #expect(processExitsWith: .success) {
      var small = try PacketWay(roundTrip: .milliseconds(50), packetsOfPicture: 8)
      var large = try PacketWay(roundTrip: .milliseconds(50), packetsOfPicture: 16)
      small.run(pictures: 600)
      large.run(pictures: 600)
      let before = (small: small.counted, large: large.counted)
      let few = try #require(Allocations.counted { small.run(pictures: 300) })
      let many = try #require(Allocations.counted { large.run(pictures: 300) })
      let packets = (
        few: small.counted.packets - before.small.packets,
        many: large.counted.packets - before.large.packets
      )
      #expect(small.counted.pictures == before.small.pictures + 300)
      #expect(large.counted.pictures == before.large.pictures + 300)
      #expect(packets.many - packets.few == 300 * 8)
      #expect(few == many)
      // Sender and receiver reports: sixteen a second.
      #expect(few <= 160)
    }
  }
}
