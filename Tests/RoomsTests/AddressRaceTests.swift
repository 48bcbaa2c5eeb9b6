import Rooms
import Testing
import Units

@Suite struct AddressRaceTests {
  private static let v4 = (1...3).map { SocketAddress(.v4(192, 0, 2, $0), port: 7_443) }
  private static let v6 = (1...2).map { last in
    SocketAddress(
      IPAddress(bytes: [0x20, 1, 0xD, 0xB8] + [UInt8](repeating: 0, count: 11) + [last])!,
      port: 7_443)
  }

  /// All that are dialled, and how long after the beginning, where none fails.
  private func dials(_ addresses: [SocketAddress]) -> [(SocketAddress, Interval)] {
    var race = AddressRace(addresses, at: .zero)
    var found: [(SocketAddress, Interval)] = []
    while let due = race.nextDeadline {
      while let address = race.next(at: due.at) { found.append((address, due.at - .zero)) }
    }
    #expect(race.isOver)
    return found
  }

  @Test func `RFC 8305 §4: families take turns, and each keeps its order`() {
    let (v4, v6) = (Self.v4, Self.v6)
    #expect(dials(v6 + v4).map(\.0) == [v6[0], v4[0], v6[1], v4[1], v4[2]])
    #expect(dials(v4 + v6).map(\.0) == [v4[0], v6[0], v4[1], v6[1], v4[2]])
    #expect(dials(v4).map(\.0) == v4)
    #expect(dials([]).isEmpty)
  }

  @Test func `RFC 8305 §5: the next is dialled a quarter of a second after one that is silent`() {
    #expect(
      dials(Self.v4).map(\.1) == [.zero, .milliseconds(250), .milliseconds(500)])
  }

  @Test func `after a failure the next is dialled at once, and waited for again`() {
    var race = AddressRace(Self.v4, at: .zero)
    #expect(race.next(at: .zero) == Self.v4[0])
    #expect(race.next(at: .zero) == nil)
    let soon = Instant.zero + .milliseconds(40)
    race.failed(at: soon)
    #expect(race.next(at: soon) == Self.v4[1])
    #expect(race.nextDeadline?.at == soon + .milliseconds(250))
    #expect(race.next(at: soon) == nil)
  }
}
