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
    while let due = race.nextDeadline, found.count < 100 {
      while let address = race.next(at: due.at) { found.append((address, due.at - .zero)) }
    }
    #expect(race.isOver)
    return found
  }
  /// The first time round.
  private func order(_ addresses: [SocketAddress]) -> [SocketAddress] {
    dials(addresses).prefix(addresses.count).map(\.0)
  }

  @Test func `RFC 8305 §4: families take turns, and each keeps its order`() {
    let (v4, v6) = (Self.v4, Self.v6)
    #expect(order(v6 + v4) == [v6[0], v4[0], v6[1], v4[1], v4[2]])
    #expect(order(v4 + v6) == [v4[0], v6[0], v4[1], v6[1], v4[2]])
    #expect(order(v4) == v4)
    #expect(dials([]).isEmpty)
  }

  @Test func `RFC 8305 §5: the next is dialled a quarter of a second after one that is silent`() {
    #expect(
      dials(Self.v4).prefix(3).map(\.1) == [.zero, .milliseconds(250), .milliseconds(500)])
  }

  @Test func `who is silent is dialled three times more, each time later`() {
    let alone = dials([Self.v4[0]])
    #expect(alone.map(\.0) == [SocketAddress](repeating: Self.v4[0], count: 4))
    #expect(alone.map(\.1) == [0, 500, 2_000, 5_000].map { .milliseconds($0) })
    let two = dials(Array(Self.v4.prefix(2)))
    #expect(
      two.map(\.0)
        == [[SocketAddress]](repeating: Array(Self.v4.prefix(2)), count: 4).flatMap(\.self))
    #expect(two.prefix(4).map(\.1) == [0, 250, 750, 1_000].map { .milliseconds($0) })
  }

  @Test func `who refuses is not dialled again`() {
    var race = AddressRace(Array(Self.v4.prefix(2)), at: .zero)
    #expect(race.next(at: .zero) == Self.v4[0])
    race.failed(Self.v4[0], at: .zero)
    #expect(race.next(at: .zero) == Self.v4[1])
    #expect(!race.isOver)
    let again = Instant.zero + .milliseconds(500)
    #expect(race.nextDeadline?.at == again)
    #expect(race.next(at: again) == Self.v4[1])
    race.failed(Self.v4[1], at: again)
    #expect(race.isOver && race.nextDeadline == nil)
    #expect(race.next(at: again + .seconds(10)) == nil)
  }

  @Test func `after a failure the next is dialled at once, and waited for again`() {
    var race = AddressRace(Self.v4, at: .zero)
    #expect(race.next(at: .zero) == Self.v4[0])
    #expect(race.next(at: .zero) == nil)
    let soon = Instant.zero + .milliseconds(40)
    race.failed(Self.v4[0], at: soon)
    #expect(race.next(at: soon) == Self.v4[1])
    #expect(race.nextDeadline?.at == soon + .milliseconds(250))
    #expect(race.next(at: soon) == nil)
  }
}
