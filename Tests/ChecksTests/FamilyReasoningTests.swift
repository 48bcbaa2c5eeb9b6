import Links
import Testing
import Units

@testable import Checks

@Suite struct FamilyReasoningTests {
  private static let server = SocketAddress(.v4(192, 0, 2, 1), port: 7_443)
  private static let sameHost = SocketAddress(.v4(192, 0, 2, 1), port: 3_478)
  private static let elsewhere = SocketAddress(.v4(192, 0, 2, 9), port: 3_478)
  private static let router = IPAddress.v4(203, 0, 113, 11)
  private static let own = IPAddress.v4(10, 1, 0, 2)

  /// Who was asked, and how the socket with port 5 000 was seen there.
  typealias Seen = (asked: SocketAddress, ip: IPAddress, port: UInt16)

  private static func family(
    _ seen: [Seen], _ filtering: FamilyFindings.Filtering = .unknown
  ) -> FamilyFindings {
    var found = FamilyFindings()
    found.ownAddresses = [own]
    found.isServed = true
    found.sightings = seen.map {
      .init(
        socket: SocketID(0), port: 5_000, asked: $0.asked,
        seen: SocketAddress($0.ip, port: $0.port))
    }
    found.filtering = filtering
    return found
  }

  @Test(
    arguments: [
      ([], nil, .nobody),
      ([(server, own, 5_000)], .untranslated, .most),
      ([(server, router, 5_000)], .unknown(keepsPorts: true), .most),
      ([(server, router, 61_000)], .unknown(keepsPorts: false), .some),
      // Mapped anew meanwhile: of other destinations that says nothing.
      (
        [(server, router, 61_000), (server, router, 61_001)], .unknown(keepsPorts: false), .some
      ),
      ([(server, router, 61_000), (elsewhere, router, 61_000)], .independent, .most),
      ([(server, router, 61_000), (sameHost, router, 61_000)], .sameForPorts, .most),
      (
        [(server, router, 6), (sameHost, router, 6), (elsewhere, router, 6)], .independent, .most
      ),
      ([(server, router, 61_000), (sameHost, router, 61_001)], .dependent, .some),
      // A pool of addresses: another address is another mapping, too.
      ([(server, router, 5_000), (elsewhere, .v4(203, 0, 113, 12), 5_000)], .dependent, .some),
    ] as [([Seen], FamilyFindings.Mapping?, FamilyFindings.Reach)])
  func `how the router maps follows from how one socket was seen by several`(
    seen: [Seen], mapping: FamilyFindings.Mapping?, reach: FamilyFindings.Reach
  ) {
    let found = Self.family(seen)
    #expect(found.mapping == mapping)
    #expect(found.reach == reach)
  }

  @Test func `two sockets that are seen differently say nothing about the mapping`() {
    var found = Self.family([(Self.server, Self.router, 61_000)])
    found.sightings.append(
      .init(
        socket: SocketID(1), port: 5_001, asked: Self.elsewhere,
        seen: SocketAddress(Self.router, port: 62_000)))
    #expect(found.mapping == .unknown(keepsPorts: false))
  }

  @Test(
    arguments: [
      ([(server, own, 5_000)], .none, .all), ([(server, own, 5_000)], .notByPort, .most),
      ([(server, router, 6), (elsewhere, router, 6)], .none, .all),
      ([(server, router, 6), (elsewhere, router, 6)], .unasked, .most),
      ([(server, router, 6), (elsewhere, router, 7)], .none, .most),
      ([(server, router, 6), (elsewhere, router, 7)], .unasked, .some),
    ] as [([Seen], FamilyFindings.Filtering, FamilyFindings.Reach)])
  func `who is let in unasked makes up for much of the mapping`(
    seen: [Seen], filtering: FamilyFindings.Filtering, reach: FamilyFindings.Reach
  ) {
    #expect(Self.family(seen, filtering).reach == reach)
  }
}
