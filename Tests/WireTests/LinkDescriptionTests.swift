import Testing
import Units
import Wire

@Suite struct LinkDescriptionTests {
  private let candidates = [
    Candidate(
      transport: .udp, kind: .host, foundation: 1, priority: 0x7E00_00FF,
      address: SocketAddress(.v4(192, 168, 0, 9), port: 5_000)),
    Candidate(
      transport: .tcp, kind: .relayed, foundation: 2, priority: 3,
      address: SocketAddress(.loopbackV6, port: 6_000)),
  ]

  private func description(_ candidates: [Candidate]) -> LinkDescription {
    LinkDescription(
      certificateKeyHash: [UInt8](repeating: 6, count: 32), generation: 2,
      userFragment: Array("frag".utf8), password: [UInt8](repeating: 0x70, count: 22),
      candidates: candidates, ticket: [1, 2])
  }

  @Test func `a candidate`() {
    checkMessage(
      candidates[0],
      golden: [1, 1]  // UDP, host
        + [0, 0, 0, 1]  // foundation
        + [0x7E, 0, 0, 0xFF]  // priority
        + [4, 192, 168, 0, 9, 0x13, 0x88])
  }

  @Test func `a socket address`() {
    checkMessage(
      SocketAddress(.loopbackV6, port: 6_000),
      golden: [16] + [UInt8](repeating: 0, count: 15) + [1, 0x17, 0x70])
    #expect((try? SocketAddress(decoding: [5, 1, 2, 3, 4, 5, 0, 1])) == nil)
  }

  @Test func `an IPv4-mapped address is unwrapped`() throws {
    let mapped: [UInt8] = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF, 127, 0, 0, 1]
    let address = try SocketAddress(decoding: [16] + mapped + [0, 80])
    #expect(address == SocketAddress(.loopbackV4, port: 80))
  }

  @Test func `a description`() {
    checkMessage(
      description(candidates),
      golden: [UInt8](repeating: 6, count: 32)  // key hash
        + [0, 0, 0, 2]  // generation
        + [0, 4] + Array("frag".utf8)
        + [0, 22] + [UInt8](repeating: 0x70, count: 22)  // password
        + [2] + candidates[0].encoded + candidates[1].encoded
        + [0, 2, 1, 2])  // ticket
  }

  @Test func `more than 32 candidates are refused`() {
    let full = description([Candidate](repeating: candidates[0], count: 32))
    #expect((try? LinkDescription(decoding: full.encoded)) == full)
    let tooMany = description([Candidate](repeating: candidates[0], count: 33))
    #expect((try? LinkDescription(decoding: tooMany.encoded)) == nil)
  }

  @Test func `a full description fits a box`() {
    let relays = [Candidate](repeating: candidates[1], count: 32)
    #expect(description(relays).encoded.count < 4_096 - 600)
  }

  @Test func `characters that ICE doesn't know are refused`() {
    var bad = description([])
    bad.userFragment = Array("fr:g".utf8)
    #expect((try? LinkDescription(decoding: bad.encoded)) == nil)
    bad.userFragment = Array("fra".utf8)
    #expect((try? LinkDescription(decoding: bad.encoded)) == nil)
    bad = description([])
    bad.password.removeLast()
    #expect((try? LinkDescription(decoding: bad.encoded)) == nil)
  }
}
