import Links
import Testing
import Units
import Wire

/// What happens to a call when its network changes, falls silent or ends.
@Suite struct ContinuityTests {
  private func call(_ lab: Lab, _ options: Lab.Options = .init()) -> (Lab.Node, Lab.Node) {
    let anna = lab.add("anna", options)
    let bert = lab.add("bert", options)
    lab.introduceAll()
    lab.run(.seconds(3))
    return (anna, bert)
  }

  /// A frame each way every 20 ms; returns when each arrived at the other.
  private func talk(
    _ lab: Lab, _ anna: Lab.Node, _ bert: Lab.Node, for interval: Interval
  ) -> (toAnna: [Instant], toBert: [Instant]) {
    let start = lab.now
    let before = (anna.heard.count, bert.heard.count)
    while lab.now - start < interval {
      lab.feed(anna, .send(bert.session, .rtp, [1]))
      lab.feed(bert, .send(anna.session, .rtp, [2]))
      lab.run(.milliseconds(20))
    }
    func arrivals(_ node: Lab.Node, _ from: Int) -> [Instant] {
      node.heard[from...].compactMap { if case .received = $0.output { $0.at } else { nil } }
    }
    return (arrivals(anna, before.0), arrivals(bert, before.1))
  }

  @Test(arguments: 1...3)
  func `a UDP blackout moves the call to TCP within two seconds, and back`(seed: UInt64) {
    let lab = Lab(seed: seed)
    let (anna, bert) = call(lab)
    #expect(anna.selected.last?.report.carrier == .datagram)
    lab.weather.isUDPDown = true
    let start = lab.now
    let heard = talk(lab, anna, bert, for: .seconds(6))
    for node in [anna, bert] {
      #expect(node.selected.last?.report.carrier == .stream)
      #expect(node.selected.last.map { $0.at - start <= .seconds(2) } == true)
      #expect(node.silences.isEmpty)
    }
    #expect(heard.toAnna.first.map { $0 - start <= .seconds(2) } == true)
    #expect(heard.toBert.first.map { $0 - start <= .seconds(2) } == true)

    lab.weather.isUDPDown = false
    let back = lab.now
    let again = talk(lab, anna, bert, for: .seconds(8))
    for node in [anna, bert] {
      #expect(node.selected.last?.report.carrier == .datagram)
      #expect(node.selected.last.map { $0.at - back <= .seconds(6) } == true)
      #expect(node.proved.count == 1)
    }
    #expect(again.toAnna.count > 390)
    #expect(again.toBert.count > 390)
    #expect(lab.stuck.isEmpty)
  }

  @Test(arguments: [Transport.auto, .udp, .tcp])
  func `25 seconds of blackout are told as silence and then survived`(transport: Transport) {
    let lab = Lab(seed: 21)
    let (anna, bert) = call(lab, .init(transport: transport))
    lab.weather.isUDPDown = true
    lab.weather.isTCPDown = true
    lab.weather.isServerDown = true
    let start = lab.now
    _ = talk(lab, anna, bert, for: .seconds(25))
    lab.weather = .init()
    let back = lab.now
    let heard = talk(lab, anna, bert, for: .seconds(5))
    for node in [anna, bert] {
      #expect(node.silences.count == 1)
      #expect(node.silences.first.map { $0 - start <= .seconds(5) } == true)
      #expect(node.losses.isEmpty)
      #expect(node.selected.last.map { $0.at > back } == true)
    }
    #expect(heard.toAnna.first.map { $0 - back <= .seconds(2) } == true)
    #expect(heard.toBert.first.map { $0 - back <= .seconds(2) } == true)
    #expect(lab.stuck.isEmpty)
  }

  @Test(arguments: [Transport.auto, .udp, .tcp])
  func `a peer that stays silent is lost by 31 seconds`(transport: Transport) {
    let lab = Lab(seed: 22)
    let (anna, bert) = call(lab, .init(transport: transport))
    lab.weather.isUDPDown = true
    lab.weather.isTCPDown = true
    let start = lab.now
    lab.run(.seconds(40))
    for node in [anna, bert] {
      #expect(node.silences.first.map { $0 - start <= .seconds(5) } == true)
      #expect(node.losses.map(\.reason) == [.silent])
      #expect(node.losses.first.map { $0.at - start <= .seconds(31) } == true)
      #expect(node.hub.nextDeadline == nil)
    }
    // The server tells of each other again, and there is a call again.
    lab.weather = .init()
    lab.introduceAll()
    lab.run(.seconds(3))
    #expect(anna.proved.count == 2 && bert.proved.count == 2)
    lab.feed(anna, .send(bert.session, .rtp, [5]))
    lab.run(.milliseconds(100))
    #expect(bert.frames == [[5]])
    #expect(lab.stuck.isEmpty)
  }

  @Test(arguments: [(Transport.udp, 0.0), (.tcp, 0.0), (.udp, 0.3)])
  func `who leaves is known to have left within a second`(transport: Transport, loss: Double) {
    let lab = Lab(seed: 23)
    let (anna, bert) = call(lab, .init(transport: transport))
    lab.weather.loss = loss
    let start = lab.now
    lab.feed(anna, .close)
    lab.run(.seconds(1))
    #expect(bert.losses.map(\.reason) == [.left])
    #expect(bert.losses.first.map { $0.at - start <= .milliseconds(500) } == true)
    let closed = anna.heard.filter { if case .closed = $0.output { true } else { false } }
    #expect(closed.count == 1)
    #expect(closed.first.map { $0.at - start <= .milliseconds(500) } == true)
    #expect(anna.hub.nextDeadline == nil)
    #expect(bert.hub.nextDeadline == nil)
  }

  @Test func `whom nobody ever met leaves at once`() {
    let lab = Lab(seed: 24)
    let anna = lab.add("anna")
    lab.feed(anna, .close)
    if case .closed = anna.heard.last?.output {} else { Issue.record("closed is expected") }
  }

  @Test func `TCP connections that the network cuts are made again`() {
    let lab = Lab(seed: 25)
    let (anna, bert) = call(lab, .init(transport: .tcp))
    for _ in 0..<3 {
      lab.cutStreams(of: anna)
      let cut = lab.now
      let heard = talk(lab, anna, bert, for: .seconds(4))
      #expect(heard.toAnna.first.map { $0 - cut < .seconds(2) } == true)
      #expect(heard.toBert.first.map { $0 - cut < .seconds(2) } == true)
    }
    #expect(anna.losses.isEmpty && bert.losses.isEmpty)
    #expect(anna.proved.count == 1)
  }

  @Test func `of the TCP connections dialled by both sides one stays`() {
    let lab = Lab(seed: 26)
    let (anna, bert) = call(lab, .init(transport: .tcp))
    lab.run(.seconds(2))
    for node in [anna, bert] {
      let dials = node.heard.count { if case .dial = $0.output { true } else { false } }
      #expect(dials == 1)
    }
    #expect(lab.connections == 1)
    _ = bert
  }

  @Test func `a new network on one side continues the call within two seconds`() {
    let lab = Lab(seed: 27)
    let (anna, bert) = call(lab, .init(transport: .udp))
    let moved = SocketAddress(.v4(10, 0, 7, 7), port: 6_000)
    anna.sockets = [SocketID(9): moved]
    lab.feed(anna, .localEndpoints([.datagram(SocketID(9), moved)]))
    let start = lab.now
    let heard = talk(lab, anna, bert, for: .seconds(4))
    #expect(heard.toAnna.first.map { $0 - start < .seconds(2) } == true)
    #expect(heard.toBert.first.map { $0 - start < .seconds(2) } == true)
    #expect(anna.proved.count == 1 && bert.proved.count == 1)
    #expect(anna.silences.isEmpty && bert.silences.isEmpty)
    // The DTLS session outlived it.
    #expect(anna.factory.made.sessions.count == 1)
  }

  @Test func `an address that changes under a peer's feet is found by connectivity checks`() {
    let lab = Lab(seed: 28)
    let (anna, bert) = call(lab, .init(transport: .udp))
    _ = talk(lab, anna, bert, for: .seconds(10))
    for moved in lab.nodes {
      // A NAT gives one another address; neither that one nor the server knows.
      lab.weather.isServerDown = true
      moved.sockets = [SocketID(0): SocketAddress(.v4(10, 0, 9, moved === anna ? 1 : 2), port: 777)]
      let start = lab.now
      let heard = talk(lab, anna, bert, for: .seconds(8))
      // 300 ms of silence, a check and the one that it triggers, and where the other side is to
      // nominate, 200 ms until it follows.
      #expect(heard.toAnna.first.map { $0 - start < .milliseconds(600) } == true)
      #expect(heard.toBert.first.map { $0 - start < .milliseconds(600) } == true)
    }
    #expect(anna.losses.isEmpty && bert.losses.isEmpty)
  }

  @Test func `a new address is told over the path of before, without the server`() {
    let lab = Lab(seed: 31)
    let (anna, bert) = call(lab, .init(transport: .udp))
    _ = talk(lab, anna, bert, for: .seconds(2))
    lab.weather.isServerDown = true
    let moved = SocketAddress(.v4(10, 0, 7, 7), port: 5_000)
    anna.sockets = [SocketID(0): moved]
    lab.feed(anna, .localEndpoints([.datagram(SocketID(0), moved)]))
    let start = lab.now
    let heard = talk(lab, anna, bert, for: .seconds(4))
    #expect(heard.toAnna.first.map { $0 - start < .milliseconds(300) } == true)
    #expect(heard.toBert.first.map { $0 - start < .milliseconds(300) } == true)
  }

  @Test func `a session that one side has lost is replaced while its path answers`() {
    let lab = Lab(seed: 29)
    let (anna, bert) = call(lab, .init(transport: .udp))
    for session in anna.factory.made.sessions { session.isBroken = true }
    let start = lab.now
    let heard = talk(lab, anna, bert, for: .seconds(20))
    #expect(heard.toBert.first.map { $0 - start < .seconds(12) } == true)
    #expect(heard.toAnna.first.map { $0 - start < .seconds(12) } == true)
    #expect(anna.losses.isEmpty && bert.losses.isEmpty)
    #expect(anna.proved.count == 1 && bert.proved.count == 1)
  }

  @Test func `a peer that is removed hears goodbye and may come back`() {
    let lab = Lab(seed: 30)
    let (anna, bert) = call(lab)
    lab.feed(anna, .removePeer(bert.session))
    lab.run(.seconds(1))
    #expect(bert.losses.map(\.reason) == [.left])
    #expect(anna.losses.isEmpty)
    lab.introduceAll()
    lab.run(.seconds(2))
    #expect(anna.proved.count == 2 && bert.proved.count == 2)
  }

  @Test(arguments: 1...3)
  func `a quiet call over a bad network isn't declared silent`(seed: UInt64) {
    let lab = Lab(seed: seed)
    let (anna, bert) = call(lab, .init(transport: .udp))
    lab.weather.loss = 0.3
    lab.weather.jitter = .milliseconds(100)
    lab.run(.seconds(120))
    #expect(anna.silences.isEmpty && bert.silences.isEmpty)
    #expect(lab.stuck.isEmpty)
  }
}
