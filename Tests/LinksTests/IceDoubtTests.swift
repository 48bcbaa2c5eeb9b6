import Links
import Testing
import Units
import Wire

/// ICE agents when the path that they have nominated has become doubtful.
@Suite struct IceDoubtTests {
  private let far = IceBench.candidate(.v4(10, 0, 0, 2))
  private let farther = IceBench.candidate(.v4(10, 0, 0, 3), index: 1)

  private func path(to candidate: Candidate) -> DatagramPath {
    DatagramPath(socket: SocketID(0), remote: candidate.address)
  }

  /// Its only path is nominated.
  private func settled(controlling: Bool) throws -> IceBench {
    let bench = IceBench(controlling: controlling)
    bench.setRemote([far])
    #expect(bench.answer(try #require(bench.takeSent().first)))
    if controlling {
      #expect(bench.answer(try #require(bench.takeSent().first)))
    } else {
      _ = bench.receive([.priority(1), .iceControlling(1), .useCandidate], on: path(to: far))
    }
    #expect(bench.agent.selected == path(to: far))
    _ = bench.takeSent()
    return bench
  }

  private func doubt(_ bench: IceBench) {
    bench.agent.probe(at: bench.now)
    bench.drain()
  }

  /// Who is seen under a new address is found by this check, and takes it to be nominated.
  @Test(arguments: [true, false])
  func `in doubt the nominated path is checked, and nominated once more by who may`(
    controlling: Bool
  ) throws {
    let bench = try settled(controlling: controlling)
    doubt(bench)
    let probe = try #require(bench.takeSent().first)
    #expect(probe.path == path(to: far))
    #expect(probe.message.nominates == controlling)
    #expect(bench.answer(probe))
    bench.run(.seconds(1))
    #expect(bench.takeSent().isEmpty)
    #expect(bench.agent.selected == path(to: far))
  }

  @Test(arguments: [true, false])
  func `what comes to be known in doubt is checked at once`(controlling: Bool) throws {
    let bench = try settled(controlling: controlling)
    bench.setRemote([far, farther])
    bench.run(.milliseconds(100))
    #expect(bench.takeSent().isEmpty)
    doubt(bench)
    let paths = bench.takeSent().map(\.path)
    #expect(paths == [path(to: far), path(to: farther)])
  }

  @Test func `in doubt another path that answers is nominated beside the silent one`() throws {
    let bench = try settled(controlling: true)
    doubt(bench)
    bench.setRemote([far, farther])
    let check = try #require(bench.takeSent().first { $0.path == path(to: farther) })
    #expect(!check.message.nominates)
    #expect(bench.answer(check))
    bench.run(.milliseconds(60))
    let nomination = try #require(
      bench.takeSent().first { $0.path == path(to: farther) && $0.message.nominates })
    #expect(bench.answer(nomination))
    #expect(bench.agent.selected == path(to: farther))
    // The old one's nomination is over: its late answer would take the call back.
    bench.run(.seconds(3))
    #expect(!bench.takeSent().contains { $0.path == path(to: far) })
  }

  @Test func `that a path answered before the doubt is no reason to nominate it`() throws {
    let bench = IceBench(controlling: true)
    bench.setRemote([far, farther])
    let checks = bench.takeSent()
    for check in checks { #expect(bench.answer(check)) }
    bench.run(.milliseconds(60))
    let nomination = try #require(bench.takeSent().first { $0.message.nominates })
    #expect(bench.answer(nomination))
    _ = bench.takeSent()
    doubt(bench)
    bench.run(.milliseconds(500))
    #expect(Set(bench.takeSent().map(\.path)) == [nomination.path])
  }

  /// Its nomination was due again and again at the same moment, for ever.
  @Test func `doubt while a path is looked for anyway nominates nothing twice`() throws {
    let bench = try settled(controlling: true)
    bench.agent.reconsider(at: bench.now)
    bench.drain()
    #expect(bench.answer(try #require(bench.takeSent().first)))
    doubt(bench)
    #expect(bench.takeSent().count <= 1)
    bench.run(.milliseconds(10))
    #expect(bench.takeSent().count <= 1)
  }

  @Test func `a nomination is repeated at once when the other side is heard`() throws {
    let bench = try settled(controlling: true)
    doubt(bench)
    bench.run(.milliseconds(500))
    _ = bench.takeSent()
    _ = bench.receive([.priority(1), .iceControlled(1)], on: path(to: far))
    bench.run(.milliseconds(1))
    #expect(bench.takeSent().first?.message.nominates == true)
  }

  @Test func `where data come on another valid path alone, it is nominated`() throws {
    let bench = IceBench(controlling: true)
    bench.setRemote([far, farther])
    for check in bench.takeSent() { #expect(bench.answer(check)) }
    bench.run(.milliseconds(60))
    #expect(bench.answer(try #require(bench.takeSent().first { $0.message.nominates })))
    _ = bench.takeSent()
    let other = bench.agent.selected == path(to: far) ? path(to: farther) : path(to: far)
    bench.agent.follow(other, at: bench.now)
    bench.agent.follow(other, at: bench.now)
    bench.drain()
    let sent = bench.takeSent()
    #expect(sent.map(\.path) == [other])
    #expect(sent[0].message.nominates)
    #expect(bench.answer(sent[0]))
    #expect(bench.agent.selected == other)
  }

  @Test func `the controlled side follows nobody, and no one a path that was never valid`() throws {
    let controlled = try settled(controlling: false)
    controlled.setRemote([far, farther])
    controlled.agent.follow(path(to: farther), at: controlled.now)
    let controlling = try settled(controlling: true)
    controlling.setRemote([far, farther])
    controlling.agent.follow(path(to: farther), at: controlling.now)
    for bench in [controlled, controlling] {
      bench.drain()
      #expect(bench.takeSent().isEmpty)
    }
  }
}
