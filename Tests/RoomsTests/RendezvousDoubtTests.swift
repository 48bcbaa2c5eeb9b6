import Rooms
import Testing
import Units
import Wire

/// A member whose connection to the server is in doubt: because the server is silent, because the
/// network changed, or because a peer fell silent.
@Suite struct RendezvousDoubtTests {
  private let ann = Person(1)

  /// A member whose joining took 40 ms.
  private func member(_ hall: inout VirtualHall) -> RendezvousClient {
    var a = client(ann, Room(7).record(owner: ann))
    a.handle(.start, at: hall.now)
    _ = outputs(&a)
    _ = register(&a, ann, &hall, within: .milliseconds(40))
    return a
  }

  @Test func `after a change of the network an answer is waited for as long as it should take`() {
    var hall = VirtualHall()
    var a = member(&hall)
    a.handle(.networkChanged, at: hall.now)
    #expect(outputs(&a).count == 1)
    let pong = a.nextDeadline!
    #expect(pong == Deadline("server pong", at: hall.now + .milliseconds(180)))
    a.handleTimeout(at: pong.at)
    // No pause as after a server's death: nobody else comes back now.
    #expect(outputs(&a) == [.disconnect, .lost("the network changed"), .connect])
  }

  @Test func `after an answer a missing one is the server's again`() throws {
    var hall = VirtualHall()
    var a = member(&hall)
    a.handle(.networkChanged, at: hall.now)
    let pong = try answer(outputs(&a))
    a.handle(.received(pong.encoded), at: hall.now + .milliseconds(90))
    #expect(
      a.nextDeadline == Deadline("server ping", at: hall.now + .milliseconds(90) + .seconds(20)))
    a.handleTimeout(at: try #require(a.nextDeadline).at)
    a.handleTimeout(at: try #require(a.nextDeadline).at)
    #expect(outputs(&a).suffix(2) == [.disconnect, .lost("no answer")])
  }

  @Test func `what lay in the kernel since before the network changed is no answer`() throws {
    var hall = VirtualHall()
    var a = member(&hall)
    a.handle(.networkChanged, at: hall.now)
    let stale = try answer(outputs(&a))
    a.handle(.networkChanged, at: hall.now + .milliseconds(20))
    let due = try #require(a.nextDeadline)
    #expect(due == Deadline("server pong", at: hall.now + .milliseconds(200)))
    let fresh = try answer(outputs(&a))
    let gone = try #require(SessionID(bytes: [UInt8](repeating: 9, count: 16)))
    let left = RendezvousFrame(.memberLeft, gone)
    for frame in [left, stale] {
      a.handle(.received(frame.encoded), at: hall.now + .milliseconds(30))
      #expect(a.nextDeadline == due)
    }
    var doubted = a
    doubted.handleTimeout(at: due.at)
    #expect(outputs(&doubted) == [.disconnect, .lost("the network changed"), .connect])
    a.handle(.received(fresh.encoded), at: hall.now + .milliseconds(150))
    #expect(a.nextDeadline?.at == hall.now + .milliseconds(150) + .seconds(20))
  }

  /// What a server says to the ping that was the only output.
  private func answer(_ outputs: [RendezvousClient.Output]) throws -> RendezvousFrame {
    guard outputs.count == 1, case .send(let bytes) = outputs[0] else {
      throw NoPing(outputs: outputs)
    }
    return RendezvousFrame(.pong, framesIn(bytes)[0].body)
  }

  private struct NoPing: Error {
    var outputs: [RendezvousClient.Output]
  }

  @Test func `under another address of the world's the server is called anew at once`() {
    var hall = VirtualHall()
    var a = member(&hall)
    a.handle(.addressChanged, at: hall.now)
    #expect(outputs(&a) == [.disconnect, .lost("the network changed"), .connect])
  }

  @Test func `a silent peer makes the server be asked, once, and three seconds be waited`() {
    var hall = VirtualHall()
    var a = member(&hall)
    a.handle(.peerSilent, at: hall.now)
    #expect(outputs(&a).count == 1)
    a.handle(.peerSilent, at: hall.now + .seconds(1))
    #expect(outputs(&a).isEmpty)
    #expect(a.nextDeadline == Deadline("server pong", at: hall.now + .seconds(3)))
    a.handleTimeout(at: hall.now + .seconds(3))
    #expect(outputs(&a) == [.disconnect, .lost("no answer")])
    a.handle(.peerSilent, at: hall.now + .seconds(3))
    #expect(outputs(&a).isEmpty)
  }

  @Test func `a silent server is noticed by its missing pong`() {
    var hall = VirtualHall()
    var a = member(&hall)
    let ping = a.nextDeadline!
    #expect(ping == Deadline("server ping", at: hall.now + .seconds(20)))
    a.handleTimeout(at: ping.at)
    _ = outputs(&a)
    let pong = a.nextDeadline!
    #expect(pong == Deadline("server pong", at: hall.now + .seconds(30)))
    a.handleTimeout(at: pong.at)
    #expect(outputs(&a) == [.disconnect, .lost("no answer")])
  }

  @Test func `pauses between attempts grow to seconds and keep within six`() {
    var hall = VirtualHall()
    var a = member(&hall)
    var now = hall.now
    a.handle(.disconnected("reset"), at: now)
    for attempt in 0..<12 {
      let pause = a.nextDeadline!.at - now
      let expected = min(4, 0.25 * Double(1 << min(attempt, 6)))
      #expect((expected * 0.5...expected * 1.5).contains(pause.seconds))
      now = a.nextDeadline!.at
      a.handleTimeout(at: now)
      a.handle(.disconnected("refused"), at: now)
    }
  }
}
