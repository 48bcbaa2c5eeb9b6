import Links
import Runtime
import Testing
import Units
import Wire

/// libnice as the judge of our ICE agent (RFC 8445, RFC 8838): its checks, its nomination, its idea of a restart.
@Suite(
  .serialized,
  .enabled(
    if: NiceAgent.isInstalled,
    "libnice for Python (gir1.2-nice-0.1) is absent: our ICE was not tried against another one"))
struct LibniceTests {
  private let loop: EventLoop

  init() throws { loop = try EventLoop() }

  /// Until `isDone`, for at most 20 s; a test that waits in vain fails.
  private func turn(
    _ own: OwnAgent, until isDone: () -> Bool, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let end = Clock.now + .seconds(20)
    while !isDone() {
      loop.turn(until: min(own.nextDeadline ?? end, Clock.now + .milliseconds(20)))
      own.handleTimeout()
      try #require(Clock.now < end, "waited in vain", sourceLocation: sourceLocation)
    }
  }

  private func turn(_ own: OwnAgent, for interval: Interval) throws {
    let end = Clock.now + interval
    try turn(own) { Clock.now >= end }
  }

  private func pair(_ isControlling: Bool, nice: Bool? = nil) throws -> (OwnAgent, NiceAgent) {
    let own = try OwnAgent(loop, isControlling: isControlling)
    let theirs = try NiceAgent(loop, isControlling: nice ?? !isControlling)
    try turn(own) { theirs.hasGathered }
    return (own, theirs)
  }

  /// Both have a pair of their own choice, and what either sends comes to the other.
  private func expectTalk(
    _ own: OwnAgent, _ theirs: NiceAgent, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    try turn(
      own, until: { own.agent.selected != nil && theirs.state == "ready" },
      sourceLocation: sourceLocation)
    #expect(own.agent.selected?.remote == theirs.candidates.first?.address)
    let (before, beforeTheirs) = (own.received.count, theirs.received.count)
    for number in UInt8(0)..<20 {
      own.send([20, number])
      theirs.send([21, number])
      try turn(own, for: .milliseconds(2))
    }
    try turn(
      own,
      until: {
        own.received.count >= before + 20 && theirs.received.count >= beforeTheirs + 20
      }, sourceLocation: sourceLocation)
    #expect(own.received[before...].elementsEqual((0..<20).map { [21, $0] }))
    #expect(theirs.received[beforeTheirs...].elementsEqual((0..<20).map { [20, $0] }))
    #expect(own.refused == 0 && own.strange == 0, sourceLocation: sourceLocation)
  }

  @Test(arguments: [true, false])
  func `in either role a path is found, nominated and used`(isControlling: Bool) throws {
    let (own, theirs) = try pair(isControlling)
    theirs.tell(own.agent.credentials)
    theirs.tell(own.candidate)
    own.setRemote(try #require(theirs.credentials), theirs.candidates)
    try expectTalk(own, theirs)
    #expect(own.agent.isControlling == isControlling)
    #expect(theirs.selections >= 1)
  }

  @Test(arguments: [true, false])
  func `a role conflict is settled`(areControlling: Bool) throws {
    let (own, theirs) = try pair(areControlling, nice: areControlling)
    theirs.tell(own.agent.credentials)
    theirs.tell(own.candidate)
    own.setRemote(try #require(theirs.credentials), theirs.candidates)
    try expectTalk(own, theirs)
  }

  @Test(arguments: [true, false])
  func `candidates that trickle in are enough`(isControlling: Bool) throws {
    let (own, theirs) = try pair(isControlling)
    // Nobody is there.
    let closed = try UDPSocket(boundTo: SocketAddress(.loopbackV4, port: 0)).localAddress
    var dead = own.candidate
    dead.address = closed
    theirs.tell(own.agent.credentials)
    theirs.tell(dead)
    own.setRemote(try #require(theirs.credentials), [])
    try turn(own, for: .milliseconds(300))
    #expect(own.agent.selected == nil)
    own.setRemote(try #require(theirs.credentials), theirs.candidates)
    theirs.tell(own.candidate)
    try expectTalk(own, theirs)
  }

  @Test(arguments: [true, false])
  func `whom nobody named is found by checks`(isControlling: Bool) throws {
    let (own, theirs) = try pair(isControlling)
    theirs.tell(own.agent.credentials)
    // It learns where we are from our checks alone (RFC 8445 §7.3.1.3).
    own.setRemote(try #require(theirs.credentials), theirs.candidates)
    try expectTalk(own, theirs)
  }

  @Test(arguments: [true, false])
  func `after a restart with new credentials a path is found again`(isControlling: Bool) throws {
    let (own, theirs) = try pair(isControlling)
    theirs.tell(own.agent.credentials)
    theirs.tell(own.candidate)
    own.setRemote(try #require(theirs.credentials), theirs.candidates)
    try expectTalk(own, theirs)
    let (ours, before) = (own.agent.credentials, theirs.credentials)
    theirs.restart()
    own.restart()
    try turn(own) { theirs.hasGathered }
    #expect(theirs.credentials != before)
    #expect(own.agent.credentials != ours)
    theirs.tell(own.agent.credentials)
    theirs.tell(own.candidate)
    own.setRemote(try #require(theirs.credentials), theirs.candidates)
    try expectTalk(own, theirs)
  }

  /// What a silent path makes us do means nothing to another implementation: a check of a pair that it has.
  @Test(arguments: [true, false])
  func `a probe of the path in use is answered and changes nothing`(isControlling: Bool) throws {
    let (own, theirs) = try pair(isControlling)
    theirs.tell(own.agent.credentials)
    theirs.tell(own.candidate)
    own.setRemote(try #require(theirs.credentials), theirs.candidates)
    try expectTalk(own, theirs)
    let path = try #require(own.agent.selected)
    let answered = own.agent.lastResponse(on: path)
    own.probe()
    try turn(own) { own.agent.lastResponse(on: path) != answered }
    try expectTalk(own, theirs)
    #expect(own.agent.selected == path)
  }
}
