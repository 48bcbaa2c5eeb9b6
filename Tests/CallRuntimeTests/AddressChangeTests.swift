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

  /// UDP packets that left by a TUN device since the last look, by the address they are for.
  private func packets(leaving device: Int32) -> [IPAddress] {
    var found: [IPAddress] = []
    var room = [UInt8](repeating: 0, count: 2_048)
    while read(device, &room, room.count) >= 28 {
      // IPv4 with UDP in it; the kernel asks for routers by itself.
      if room[0] >> 4 == 4, room[9] == 17 { found.append(IPAddress(bytes: Array(room[16..<20]))!) }
    }
    return found
  }

  @Test func `with one interface nothing leaves by another, and only its addresses are told`()
    throws
  {
    try inOwnNetwork {
      let devices = [clinux_open_tun("left"), clinux_open_tun("right")]
      defer { for device in devices { close(device) } }
      try #require(devices.allSatisfy { $0 >= 0 })
      #expect(clinux_take_up("left", in_addr_t(0x0A01_0001).bigEndian) == 0)
      #expect(Set(LocalAddress.interfaces()).isSuperset(of: ["lo", "left", "right"]))
      let loop = try EventLoop()
      var (told, notices): ([[LocalEndpoint]], [String]) = ([], [])
      func open(_ doors: PeerDoors) throws -> PeerSockets {
        let sockets = PeerSockets(
          loop: loop, doors: doors,
          log: { if case .interfaceWithoutAddress(let name) = $0 { notices.append(name) } },
          feed: { if case .localEndpoints(let endpoints) = $0 { told.append(endpoints) } })
        try sockets.open()
        try sockets.announce()
        return sockets
      }
      let kept = try open(PeerDoors(interface: "right", listens: false))
      #expect(told == [[]])
      #expect(notices == ["right"])
      #expect(clinux_take_up("right", in_addr_t(0x0A02_0001).bigEndian) == 0)
      let end = loop.now + .seconds(20)
      func hasAddress() -> Bool { told.contains { !$0.isEmpty } }
      while !hasAddress(), loop.now < end {
        loop.turn(until: min(kept.nextDeadline?.at ?? end, end))
        kept.handleTimeout(at: loop.now)
      }
      let addresses = (told.last ?? []).map { endpoint -> IPAddress? in
        if case .datagram(_, let address) = endpoint { address.ip } else { nil }
      }
      #expect(addresses.contains(.v4(10, 2, 0, 1)))
      #expect(addresses.allSatisfy { $0 == .v4(10, 2, 0, 1) || $0?.isLinkLocal == true })

      // The way to it leads over the left one.
      let far = SocketAddress(.v4(10, 1, 0, 9), port: 9)
      for device in devices { _ = packets(leaving: device) }
      kept.transmit([1, 2, 3], to: far, from: SocketID(0))
      kept.flush()
      #expect(packets(leaving: devices[0]) == [])
      #expect(packets(leaving: devices[1]).allSatisfy { $0 == far.ip })
      let free = try open(PeerDoors())
      free.transmit([1, 2, 3], to: far, from: SocketID(0))
      free.flush()
      #expect(packets(leaving: devices[0]) == [far.ip])
    }
  }
}
