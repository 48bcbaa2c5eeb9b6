import Call
import Links
import Media
import Simulation
import Testing
import Units

/// What a call must survive, and how soon it must be as before (THREATS R6, R17, R4).
@Suite struct FaultScenarioTests {
  /// Two people who have been talking since 1 s, and chat until 4 s before the end.
  private func pair(
    seed: UInt64 = 1, transport: Transport = .auto, line: AccessLine = .cable,
    limits: SimulatedCall.Limits = SimulatedCall.Limits(),
    for duration: Interval, chatIsComplete: Bool = true,
    fault: (SimulatedCall, SimulatedMember, SimulatedMember) -> Void
  ) throws -> (call: SimulatedCall, anna: SimulatedMember, ben: SimulatedMember) {
    var options = SimulatedMember.Options()
    options.transport = transport
    // A smaller picture: these calls are long.
    options.size = PictureSize(width: 640, height: 360)
    options.framesPerSecond = 15
    options.bitrateLimit = .kilobits(300)
    let call = try SimulatedCall(seed: seed, limits: limits)
    let anna = call.add("Anna", line: line, options: options)
    let ben = call.add("Ben", line: line, options: options, after: .milliseconds(500))
    call.at(.seconds(3)) {
      call.chatter(every: .seconds(1), until: .zero + duration - .seconds(4))
    }
    fault(call, anna, ben)
    call.run(for: duration)
    call.finish(chatIsComplete: chatIsComplete)
    return (call, anna, ben)
  }

  private func lines(of member: SimulatedMember) -> Int {
    member.events.count { if case .chatSent = $0.event { true } else { false } }
  }

  @Test(arguments: [Transport.auto, .tcp])
  func `a blackout of 25 s is over within 2 s and nothing that was said is lost`(
    transport: Transport
  ) throws {
    // What the kernel of a TCP connection holds comes first when it comes back: it is not shown.
    var limits = SimulatedCall.Limits()
    limits.oldest = .milliseconds(500)
    let (call, anna, ben) = try pair(
      transport: transport, limits: limits, for: .seconds(42)
    ) { call, _, ben in
      call.at(.seconds(8)) { ben.host.change { $0.isDown = true } }
      call.at(.seconds(33)) { ben.host.change { $0.isDown = false } }
    }
    for (seen, viewer) in [(anna, ben), (ben, anna)] {
      let gap = call.figures(of: seen, at: viewer).longestGap
      #expect(gap > .seconds(24) && gap < .seconds(27))
      #expect(viewer.departures.isEmpty)
      #expect(viewer.times(of: .reconnecting).contains { $0 < .zero + .seconds(13) })
    }
    #expect(call.chatLinesHeard == call.chatLinesSaid && call.chatLinesSaid > 60)
    #expect(call.findings.isEmpty, "\(call.findings.summary)")
  }

  @Test(arguments: [Transport.auto, .tcp])
  func `what waited since the link was made is neither heard nor shown`(
    transport: Transport
  ) throws {
    let (call, anna, ben) = try pair(
      transport: transport, for: .seconds(14)
    ) { call, anna, ben in
      // Ben's line stands still from the moment at which he knows Anna.
      call.world.repeat(every: .milliseconds(1)) { [unowned call] in
        guard ben.viewers[anna.session] != nil else { return true }
        #expect(call.figures(of: anna, at: ben).firstShownAt == nil)
        #expect(call.figures(of: anna, at: ben).lastHeardAt == nil)
        ben.host.change { $0.isStalled = true }
        call.world.schedule(after: .seconds(4)) { ben.host.change { $0.isStalled = false } }
        return false
      }
    }
    for (seen, viewer) in [(anna, ben), (ben, anna)] {
      let figures = call.figures(of: seen, at: viewer)
      #expect(figures.shown > 60)
      #expect(figures.delays.percentile(1) < .milliseconds(1_000))
      // On datagrams the report that tells how old the first packet is comes behind it.
      #expect(figures.soundDelays.count > 500)
      #expect(
        figures.soundDelays.percentile(transport == .tcp ? 1 : 0.995) < .milliseconds(1_000))
    }
    #expect(call.findings.isEmpty, "\(call.findings.summary)")
  }

  @Test func `a blackout of 35 s ends the link on both sides, and they meet again`() throws {
    // Picture and sound find each other anew after they met again.
    var limits = SimulatedCall.Limits()
    limits.skew = .milliseconds(80)
    let (call, anna, ben) = try pair(
      limits: limits, for: .seconds(60), chatIsComplete: false
    ) { call, _, ben in
      call.at(.seconds(8)) { ben.host.change { $0.isDown = true } }
      call.at(.seconds(43)) { ben.host.change { $0.isDown = false } }
    }
    for member in [anna, ben] {
      let left = member.firstDeparture
      #expect(left.map { $0 > .zero + .seconds(36) && $0 < .zero + .seconds(39.5) } == true)
      #expect(member.exitCode == nil)
    }
    for (seen, viewer) in [(anna, ben), (ben, anna)] {
      let last = try #require(call.figures(of: seen, at: viewer).lastShownAt)
      #expect(last > .zero + .seconds(59))
    }
    #expect(call.findings.isEmpty, "\(call.findings.summary)")
  }

  @Test func `a killed process is reported within 5 s and gone within 31 s`() throws {
    let (call, anna, ben) = try pair(
      for: .seconds(42), chatIsComplete: false
    ) { call, _, ben in
      call.at(.seconds(8)) { ben.kill() }
    }
    #expect(
      anna.times(of: .reconnecting).contains {
        $0 > .zero + .seconds(8) && $0 < .zero + .seconds(13)
      })
    #expect(anna.departures[ben.peer] != nil)
    #expect(anna.firstDeparture.map { $0 < .zero + .seconds(39) } == true)
    #expect(anna.exitCode == nil)
    #expect(call.findings.isEmpty, "\(call.findings.summary)")
  }

  @Test func `one who leaves is gone at once`() throws {
    let (call, anna, ben) = try pair(for: .seconds(12), chatIsComplete: false) { call, _, ben in
      call.at(.seconds(8)) { ben.leave() }
    }
    #expect(ben.exitCode == 0)
    #expect(anna.departures == [ben.peer: "left"])
    #expect(anna.firstDeparture.map { $0 < .zero + .seconds(9) } == true)
    #expect(call.findings.isEmpty, "\(call.findings.summary)")
  }

  @Test(arguments: [false, true])
  func `a server that is killed and comes back disturbs no call`(losesArchive: Bool) throws {
    var cleo: SimulatedMember?
    let (call, anna, ben) = try pair(for: .seconds(30)) { call, _, _ in
      call.at(.seconds(6)) {
        call.server.kill()
        if losesArchive { call.server.loseArchive() }
      }
      call.at(.seconds(12)) { call.server.start() }
      call.at(.seconds(20)) { cleo = call.add("Cleo") }
    }
    for (seen, viewer) in [(anna, ben), (ben, anna)] {
      #expect(call.figures(of: seen, at: viewer).longestGap < .milliseconds(500))
      #expect(viewer.departures.isEmpty)
    }
    let late = try #require(cleo)
    for other in [anna, ben] {
      #expect(call.figures(of: other, at: late).shown > 100)
      #expect(call.figures(of: late, at: other).shown > 100)
    }
    #expect(call.findings.isEmpty, "\(call.findings.summary)")
  }

  @Test func `a new address is taken over within 2 s`() throws {
    let (call, anna, ben) = try pair(for: .seconds(20)) { call, _, ben in
      call.at(.seconds(8)) { ben.move(to: call.network.nextAddresses()) }
    }
    for (seen, viewer) in [(anna, ben), (ben, anna)] {
      #expect(call.figures(of: seen, at: viewer).longestGap < .seconds(2))
      #expect(viewer.departures.isEmpty)
    }
    #expect(call.findings.isEmpty, "\(call.findings.summary)")
  }

  @Test func `a connection dialled from an address that is gone is not waited for`() throws {
    let (call, anna, ben) = try pair(
      transport: .tcp, line: .satellite, for: .seconds(20)
    ) { call, anna, _ in
      // Both dial from 2.9 s on. Nobody but Anna can know that she moved.
      call.at(.seconds(3.1)) {
        call.server.kill()
        anna.move(to: call.network.nextAddresses())
      }
    }
    for (seen, viewer) in [(anna, ben), (ben, anna)] {
      #expect(viewer.path(to: seen) == .tcpDirect)
      #expect(viewer.times(of: .tcpDirect).first.map { $0 < .zero + .seconds(9) } == true)
    }
    #expect(call.findings.isEmpty, "\(call.findings.summary)")
  }

  @Test func `over TCP another network is called from at once`() throws {
    var line = AccessLine.satellite
    line.up.loss = 0
    line.down.loss = 0
    var limits = SimulatedCall.Limits()
    limits.skew = .milliseconds(500)
    let (call, anna, ben) = try pair(
      transport: .tcp, line: line, limits: limits, for: .seconds(26)
    ) { call, anna, _ in
      call.at(.seconds(12)) {
        call.server.kill()
        anna.move(to: call.network.nextAddresses())
      }
    }
    // Three and a half round trips of 1.1 s until both are proved, and half of one to the first
    // picture. Whoever waits until the old connection is suspected begins with that 3 s later.
    for (seen, viewer) in [(anna, ben), (ben, anna)] {
      #expect(call.figures(of: seen, at: viewer).longestGap < .seconds(6))
      #expect(viewer.departures.isEmpty)
    }
    #expect(call.findings.isEmpty, "\(call.findings.summary)")
  }

  @Test func `who is elsewhere when he is woken up is found there`() throws {
    let (call, anna, ben) = try pair(transport: .tcp, for: .seconds(24)) { call, anna, ben in
      call.at(.seconds(7)) { anna.suspend(for: .seconds(3)) }
      call.at(.seconds(8)) { anna.move(to: call.network.nextAddresses()) }
      call.at(.seconds(8)) { ben.move(to: call.network.nextAddresses()) }
    }
    for (seen, viewer) in [(anna, ben), (ben, anna)] {
      #expect(viewer.path(to: seen) == .tcpDirect)
      #expect(viewer.departures.isEmpty)
    }
    // What is typed waits with the process.
    #expect(lines(of: anna) == lines(of: ben) && lines(of: anna) > 15)
    #expect(call.findings.isEmpty, "\(call.findings.summary)")
  }

  @Test func `a process that is stopped for 10 s resumes, and shows nothing stale`() throws {
    var limits = SimulatedCall.Limits()
    limits.oldest = .milliseconds(500)
    let (call, anna, ben) = try pair(limits: limits, for: .seconds(26)) { call, _, ben in
      call.at(.seconds(8)) { ben.suspend(for: .seconds(10)) }
    }
    for (seen, viewer) in [(anna, ben), (ben, anna)] {
      let gap = call.figures(of: seen, at: viewer).longestGap
      #expect(gap > .seconds(9) && gap < .seconds(13))
      #expect(call.figures(of: seen, at: viewer).lastSoundDelay < .milliseconds(300))
      #expect(viewer.departures.isEmpty)
    }
    #expect(call.findings.isEmpty, "\(call.findings.summary)")
  }

  @Test(arguments: Array(1...12) as [UInt64])
  func `when a line moves on after 10 s, a fresh picture comes within half a second`(
    seed: UInt64
  ) throws {
    var limits = SimulatedCall.Limits()
    limits.oldest = .milliseconds(500)
    limits.skew = .milliseconds(80)
    let call = try SimulatedCall(seed: seed, limits: limits)
    let line = AccessLine(
      name: "2.5 Mbit/s",
      both: LinkConditions(
        rate: .kilobits(2_500), queue: .milliseconds(300), delay: .milliseconds(50)))
    let anna = call.add("Anna", line: line)
    let ben = call.add("Ben", line: .local, after: .milliseconds(500))
    call.at(.seconds(10)) { anna.host.change { $0.isStalled = true } }
    call.at(.seconds(20)) { anna.host.change { $0.isStalled = false } }
    call.run(for: .seconds(26))
    for (seen, viewer) in [(anna, ben), (ben, anna)] {
      let gap = call.figures(of: seen, at: viewer).longestGap
      #expect(gap > .seconds(9.9) && gap < .seconds(10.5), "\(gap.milliseconds) ms")
      // The link that came back is the one that was there before.
      let back = viewer.times(of: .udpDirect).last
      #expect(back.map { $0 > .zero + .seconds(20) && $0 < .zero + .seconds(20.2) } == true)
      let links = viewer.times(of: .tcpDirect)
      #expect(!links.contains { $0 > .zero + .seconds(10) })
    }
    #expect(call.findings.isEmpty, "\(call.findings.summary)")
  }

  @Test func `one slow line does not spoil the picture of the others`() throws {
    var limits = SimulatedCall.Limits()
    limits.skew = .seconds(1)
    let call = try SimulatedCall(seed: 5, limits: limits)
    let anna = call.add("Anna")
    let ben = call.add("Ben", after: .milliseconds(300))
    let cleo = call.add("Cleo", after: .milliseconds(600))
    call.at(.seconds(6)) {
      cleo.host.change { $0.rate = .kilobits(400) }
    }
    call.run(for: .seconds(16))
    call.finish()
    for (seen, viewer) in [(anna, ben), (ben, anna)] {
      let figures = call.figures(of: seen, at: viewer)
      #expect(figures.shown > 430)
      #expect(figures.longestGap < .milliseconds(300))
    }
    #expect(call.figures(of: anna, at: cleo).playedPackets > 500)
    #expect(call.findings.isEmpty, "\(call.findings.summary)")
  }

  @Test func `two who can't reach each other still have the third`() throws {
    let call = try SimulatedCall(seed: 6)
    let anna = call.add("Anna")
    let ben = call.add("Ben", after: .milliseconds(300))
    let cleo = call.add("Cleo", after: .milliseconds(600))
    call.network.partition(ben.host, cleo.host)
    call.run(for: .seconds(12))
    #expect(call.figures(of: ben, at: cleo).shown == 0)
    for other in [ben, cleo] {
      #expect(call.figures(of: anna, at: other).shown > 300)
      #expect(call.figures(of: other, at: anna).shown > 300)
      #expect(other.exitCode == nil)
    }
    call.network.heal(ben.host, cleo.host)
    call.run(for: .seconds(20))
    #expect(call.figures(of: ben, at: cleo).shown > 200)
    call.finish()
    #expect(call.findings.isEmpty, "\(call.findings.summary)")
  }

  @Test(arguments: [Transport.auto, .udp, .tcp])
  func `two who lost each other while the server had both find each other again`(
    transport: Transport
  ) throws {
    var limits = SimulatedCall.Limits()
    limits.skew = .milliseconds(80)
    let (call, anna, ben) = try pair(
      seed: 9, transport: transport, limits: limits, for: .seconds(95), chatIsComplete: false
    ) { call, anna, ben in
      call.at(.seconds(8)) { call.network.partition(anna.host, ben.host) }
      call.at(.seconds(68)) { call.network.heal(anna.host, ben.host) }
    }
    for (seen, viewer) in [(anna, ben), (ben, anna)] {
      #expect(viewer.departures == [seen.peer: "lost"])
      #expect(viewer.firstDeparture.map { $0 < .zero + .seconds(39.5) } == true)
      #expect(viewer.exitCode == nil)
      let figures = call.figures(of: seen, at: viewer)
      #expect(figures.longestGap < .seconds(80), "\(figures.longestGap.seconds) s")
      #expect(figures.lastShownAt.map { $0 > .zero + .seconds(94) } == true)
    }
    #expect(call.findings.isEmpty, "\(call.findings.summary)")
  }

  @Test func `a line typed while leaving is not sent to one who is just coming`() throws {
    let call = try SimulatedCall(seed: 3)
    let anna = call.add("Anna")
    call.add("Ben", line: .satellite, after: .milliseconds(300))
    call.run(for: .seconds(10))
    // The goodbye is under way to Ben for a while.
    anna.leave()
    #expect(anna.exitCode == nil)
    anna.say("too late")
    call.run(for: .seconds(10))
    #expect(anna.exitCode == 0)
    #expect(
      !anna.events.contains {
        if case .chatSent = $0.event { true } else { false }
      })
  }

  @Test func `one who comes late is met although another has been out of reach for 30 s`() throws {
    let call = try SimulatedCall(seed: 7)
    let anna = call.add("Anna")
    let ghost = call.add("Ghost", after: .milliseconds(300))
    call.network.partition(anna.host, ghost.host)
    let ben = call.add("Ben", after: .seconds(30.2))
    call.network.partition(ben.host, ghost.host)
    call.run(for: .seconds(36))
    #expect(anna.exitCode == nil)
    #expect(call.figures(of: ben, at: anna).shown > 50)
  }

  @Test func `alone with somebody unreachable for 30 s means exit 6`() throws {
    let call = try SimulatedCall(seed: 7)
    let anna = call.add("Anna")
    let ben = call.add("Ben", after: .milliseconds(300))
    call.network.partition(anna.host, ben.host)
    call.run(for: .seconds(40))
    #expect(anna.exitCode == 6)
    #expect(call.findings.isEmpty, "\(call.findings.summary)")
  }
}
