import Links
import Testing
import Units
import Wire

/// ICE agents by themselves: what they send for what they get.
@Suite struct IceAgentTests {
  private let far = IceBench.candidate(.v4(10, 0, 0, 2))

  @Test func `the first check goes out at once and the only path is nominated at once`() throws {
    let bench = IceBench(controlling: true)
    bench.setRemote([far])
    let check = try #require(bench.takeSent().first)
    #expect(check.path == DatagramPath(socket: SocketID(0), remote: far.address))
    #expect(
      check.message.attributes.first == .username(Array("them:".utf8) + bench.ours.userFragment))
    #expect(!check.message.nominates)
    #expect(bench.answer(check))
    #expect(bench.agent.sendingPath == check.path)
    #expect(bench.agent.selected == nil)
    let nomination = try #require(bench.takeSent().first)
    #expect(nomination.message.nominates)
    #expect(bench.answer(nomination))
    #expect(bench.agent.selected == check.path)
  }

  @Test func `a check is sent again soon, then doubling, and nine times in all`() {
    let bench = IceBench(controlling: true)
    bench.setRemote([far])
    let first = bench.takeSent()[0].message
    var times: [Instant] = []
    while let deadline = bench.agent.nextDeadline, times.count < 8 {
      bench.now = deadline.at
      bench.agent.handleTimeout(at: bench.now)
      bench.drain()
      for sent in bench.takeSent() {
        #expect(sent.message == first)
        times.append(bench.now)
      }
    }
    let waits = times.map { ($0 - IceBench.start).milliseconds }
    #expect(waits == [15, 50, 100, 200, 400, 800, 1_600, 3_200])
    bench.run(.seconds(1.6))
    #expect(bench.agent.pairs[0].state == .failed)
    // After a pause a new round begins with a new transaction.
    bench.run(.seconds(2))
    #expect(bench.takeSent().first.map { $0.message.transactionID != first.transactionID } == true)
  }

  @Test func `a better path that answers within 50 ms is nominated instead`() throws {
    let bench = IceBench(controlling: true, sockets: 2)
    bench.setRemote([far])
    let checks = bench.takeSent()
    #expect(checks.map(\.path.socket) == [SocketID(0), SocketID(1)])
    #expect(bench.answer(checks[1]))
    #expect(bench.takeSent().isEmpty)
    #expect(bench.agent.sendingPath == checks[1].path)
    bench.run(.milliseconds(30))
    // Checks that nobody has answered yet are repeated meanwhile.
    #expect(bench.takeSent().allSatisfy { $0.message == checks[0].message })
    #expect(bench.answer(checks[0]))
    let nomination = try #require(bench.takeSent().first)
    #expect(nomination.message.nominates)
    #expect(nomination.path == checks[0].path)
  }

  @Test func `after 50 ms the best path that answered is nominated`() throws {
    let bench = IceBench(controlling: true, sockets: 2)
    bench.setRemote([far])
    let checks = bench.takeSent()
    #expect(bench.answer(checks[1]))
    bench.run(.milliseconds(50))
    let nomination = try #require(bench.takeSent().first { $0.message != checks[0].message })
    #expect(nomination.message.nominates)
    #expect(nomination.path == checks[1].path)
  }

  @Test func `checks beyond the first burst are paced`() {
    let bench = IceBench(controlling: true, sockets: 4)
    bench.setRemote((1...4).map { IceBench.candidate(.v4(10, 0, 9, UInt8($0)), index: $0) })
    let burst = bench.takeSent().map(\.message.transactionID)
    #expect(burst.count == 8)
    bench.run(.milliseconds(60))
    let later = Set(bench.takeSent().map(\.message.transactionID))
    #expect(later.subtracting(burst).count == 3)
  }

  @Test func `of pairs with one foundation one is tried first`() throws {
    let bench = IceBench(controlling: true)
    // Two ports of one address fare alike.
    var second = far
    second.address.port = 4_001
    second.priority -= 1
    bench.setRemote([far, second])
    let checks = bench.takeSent()
    #expect(checks.map(\.path.remote) == [far.address])
    #expect(bench.agent.pairs.map(\.state) == [.inProgress, .frozen])
    #expect(bench.answer(checks[0]))
    #expect(bench.agent.pairs.map(\.state) == [.succeeded, .inProgress])
  }

  @Test func `the controlled side takes the path that it is told`() throws {
    let bench = IceBench(controlling: false, sockets: 2)
    bench.setRemote([far])
    let checks = bench.takeSent()
    #expect(bench.answer(checks[0]))
    #expect(bench.answer(checks[1]))
    #expect(bench.agent.selected == nil)
    let response = bench.receive(
      [.priority(1), .iceControlling(1), .useCandidate], on: checks[1].path)
    #expect(response?.kind == .success)
    #expect(response?.attributes == [.xorMappedAddress(far.address)])
    #expect(bench.agent.selected == checks[1].path)
    #expect(!bench.sent.contains { $0.message.nominates })
  }

  @Test func `a nomination before the path is valid takes effect when it is`() throws {
    let bench = IceBench(controlling: false)
    bench.setRemote([far])
    let check = try #require(bench.takeSent().first)
    _ = bench.receive([.priority(1), .iceControlling(1), .useCandidate], on: check.path)
    #expect(bench.agent.selected == nil)
    #expect(bench.answer(check))
    #expect(bench.agent.selected == check.path)
  }

  @Test func `an unknown source becomes a candidate and is checked at once`() throws {
    let bench = IceBench(controlling: true)
    bench.setRemote([far])
    _ = bench.takeSent()
    let reflexive = DatagramPath(
      socket: SocketID(0), remote: SocketAddress(.v4(198, 51, 100, 7), port: 7))
    let response = bench.receive([.priority(0x6E00_01FF), .iceControlled(1)], on: reflexive)
    #expect(response?.kind == .success)
    let triggered = try #require(bench.takeSent().first)
    #expect(triggered.path == reflexive)
    #expect(!bench.agent.isValidated(reflexive, at: bench.now))
    #expect(bench.answer(triggered))
    #expect(bench.agent.isValidated(reflexive, at: bench.now))
  }

  @Test func `checks that come before the description are answered and used after it`() throws {
    let bench = IceBench(controlling: false)
    let path = DatagramPath(socket: SocketID(0), remote: far.address)
    let response = bench.receive(
      [.priority(0x6E00_01FF), .iceControlling(1), .useCandidate], on: path)
    #expect(response?.kind == .success)
    #expect(bench.takeSent().isEmpty)
    #expect(bench.agent.isAwaited(path))
    bench.setRemote([far])
    let check = try #require(bench.takeSent().first)
    #expect(check.path == path)
    #expect(bench.answer(check))
    #expect(bench.agent.selected == path)
  }

  @Test func `of two that control, the smaller tie-breaker yields`() {
    let bench = IceBench(controlling: true)
    bench.setRemote([far])
    let path = bench.takeSent()[0].path
    let conflict = bench.receive([.priority(1), .iceControlling(0)], on: path)
    #expect(conflict?.kind == .error)
    #expect(conflict?.attributes == [.errorCode(487, reason: [])])
    #expect(bench.agent.isControlling)
    let yielding = bench.receive([.priority(1), .iceControlling(.max)], on: path)
    #expect(yielding?.kind == .success)
    #expect(!bench.agent.isControlling)
  }

  @Test func `of two that are controlled, the larger tie-breaker takes over`() {
    let bench = IceBench(controlling: false)
    bench.setRemote([far])
    let path = bench.takeSent()[0].path
    let conflict = bench.receive([.priority(1), .iceControlled(.max)], on: path)
    #expect(conflict?.attributes == [.errorCode(487, reason: [])])
    let taking = bench.receive([.priority(1), .iceControlled(0)], on: path)
    #expect(taking?.kind == .success)
    #expect(bench.agent.isControlling)
  }

  @Test func `a 487 changes the role and the check is made again`() throws {
    let bench = IceBench(controlling: true)
    bench.setRemote([far])
    let check = try #require(bench.takeSent().first)
    #expect(bench.answer(check, error: 487))
    #expect(!bench.agent.isControlling)
    let again = try #require(bench.takeSent().first)
    #expect(again.path == check.path)
    #expect(again.message.transactionID != check.message.transactionID)
    let isControlled = again.message.attributes.contains {
      if case .iceControlled = $0 { true } else { false }
    }
    #expect(isControlled)
  }

  @Test func `a response from elsewhere, with a wrong password or none, validates nothing`() throws
  {
    let bench = IceBench(controlling: true)
    bench.setRemote([far])
    let check = try #require(bench.takeSent().first)
    #expect(!bench.answer(check, password: Array("guess".utf8)))
    let elsewhere = DatagramPath(
      socket: SocketID(0), remote: SocketAddress(.v4(10, 0, 0, 3), port: 4_000))
    #expect(!bench.answer(check, from: elsewhere))
    #expect(bench.agent.sendingPath == nil)
    #expect(!bench.agent.isValidated(check.path, at: bench.now))
    #expect(bench.answer(check))
  }

  @Test func `what must be understood and isn't is refused by name`() {
    let bench = IceBench(controlling: true)
    bench.setRemote([far])
    let path = bench.takeSent()[0].path
    let refusal = bench.receive([.priority(1), .unknown(number: 0x7FFF, value: [])], on: path)
    #expect(
      refusal?.attributes == [.errorCode(420, reason: []), .unknownAttributes([0x7FFF])])
    let bare = bench.receive([.iceControlled(1)], on: path)
    #expect(bare?.attributes == [.errorCode(400, reason: [])])
  }

  @Test func `consent is asked for every 4 to 6 seconds and ends after 30 without an answer`()
    throws
  {
    let bench = IceBench(controlling: true)
    bench.setRemote([far])
    #expect(bench.answer(bench.takeSent()[0]))
    #expect(bench.answer(bench.takeSent()[0]))
    let path = try #require(bench.agent.selected)
    var last = bench.now
    for _ in 0..<10 {
      while bench.sent.isEmpty, let deadline = bench.agent.nextDeadline {
        bench.run(deadline.at - bench.now)
      }
      #expect((4...6).contains((bench.now - last).seconds))
      last = bench.now
      let asked = bench.takeSent()
      #expect(asked.count == 1)
      #expect(asked.first.map { !$0.message.nominates && bench.answer($0) } == true)
    }
    bench.run(.seconds(29.9))
    #expect(bench.agent.selected == path)
    #expect(bench.agent.isValidated(path, at: bench.now))
    bench.run(.seconds(0.2))
    #expect(bench.agent.selected == nil)
    #expect(!bench.agent.isValidated(path, at: bench.now))
  }

  @Test func `families and loopback don't pair with what they can't reach`() {
    let bench = IceBench(controlling: true)
    bench.setRemote([
      IceBench.candidate(.loopbackV4), IceBench.candidate(.loopbackV6),
      IceBench.candidate(IPAddress(bytes: [0x20, 1] + [UInt8](repeating: 0, count: 14))!),
    ])
    #expect(bench.agent.pairs.isEmpty)
    #expect(bench.takeSent().isEmpty)
    #expect(bench.agent.nextDeadline == nil)
  }

  @Test func `whatever a peer says of itself, only so many addresses are ever checked`() {
    let bench = IceBench(controlling: true)
    for round in 0..<60 as Range<UInt8> {
      bench.setRemote(
        (0..<32).map { number in
          var candidate = IceBench.candidate(.v4(10, 1, round, UInt8(number)))
          // Ever better ones push the earlier out of the list of pairs.
          candidate.priority = 1 << 24 + UInt32(round) << 8
          return candidate
        })
      bench.run(.seconds(1))
    }
    let addresses = Set(bench.takeSent().map(\.path.remote))
    #expect(addresses.count <= LinkDescription.candidateLimit)
  }

  @Test func `reconsidering checks every path again and nominates the one that answers`() throws {
    let bench = IceBench(controlling: true, sockets: 2)
    bench.setRemote([far])
    let checks = bench.takeSent()
    #expect(bench.answer(checks[0]))
    #expect(bench.answer(bench.takeSent()[0]))
    #expect(bench.agent.selected == checks[0].path)
    bench.agent.reconsider(at: bench.now)
    bench.drain()
    let again = bench.takeSent()
    #expect(Set(again.map(\.path)) == Set(checks.map(\.path)))
    #expect(bench.agent.sendingPath == checks[0].path)
    let other = try #require(again.first { $0.path == checks[1].path })
    #expect(bench.answer(other))
    bench.run(.milliseconds(60))
    let nomination = try #require(bench.takeSent().first { $0.message.nominates })
    #expect(bench.answer(nomination))
    #expect(bench.agent.selected == checks[1].path)
  }
}
