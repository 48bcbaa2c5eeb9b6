import CLinux
import Call
import Foundation
import Links
import Runtime
import Testing
import Units

@testable import CallRuntime

private let isRoot = geteuid() == 0

@Suite(
  .enabled(if: isRoot, "a network of one's own needs root; changes of addresses were not tried"))
struct AddressChangeTests {
  /// Runs in a new, empty network and comes back; sockets stay where they were made.
  private func inOwnNetwork(_ body: () throws -> Void) throws {
    let outside = clinux_own_network()
    try #require(outside >= 0)
    defer { close(outside) }
    try #require(clinux_new_network() == 0)
    defer { #expect(clinux_enter_network(outside) == 0) }
    try body()
  }

  @Test func `changes of addresses in mid-call that come together are told once`() throws {
    try inOwnNetwork {
      let loop = try EventLoop()
      var told: [[LocalEndpoint]] = []
      let sockets = PeerSockets(
        loop: loop,
        feed: { if case .localEndpoints(let endpoints) = $0 { told.append(endpoints) } })
      try sockets.open()
      try sockets.announce()
      #expect(told == [[]], "nothing is up")
      try sockets.announce()
      #expect(told.count == 1, "no news")

      #expect(clinux_take_up("lo", in_addr_t(0x7F00_0001).bigEndian) == 0)
      #expect(clinux_take_up("lo", in_addr_t(0x0A09_0807).bigEndian) == 0)
      let end = loop.now + .seconds(20)
      while told.count < 2, loop.now < end {
        let deadline = sockets.nextDeadline
        loop.turn(until: min(deadline?.at ?? end, end))
        sockets.handleTimeout(at: loop.now)
      }
      #expect(told.count == 2)
      let addresses = (told.last ?? []).compactMap { endpoint -> IPAddress? in
        if case .datagram(_, let address) = endpoint, address.ip.isV4 { address.ip } else { nil }
      }
      #expect(addresses == [.loopbackV4, .v4(10, 9, 8, 7)])
      #expect(sockets.nextDeadline == nil)
    }
  }
}
