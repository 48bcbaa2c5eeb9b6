import Links
import Testing
import Units
import Wire

/// What a link tells of the other side's clock, and what it takes for its round trip meanwhile. The
/// laboratory has one clock, so a reading came `transit` after it was made.
@Suite struct ClockTests {
  private struct Reading {
    var at: Instant
    var session: SessionID
    var transit: Interval
    var roundTrip: Interval
  }

  private func readings(of node: Lab.Node) -> [Reading] {
    node.heard.compactMap { heard in
      guard case .clock(let session, let time, let roundTrip) = heard.output else { return nil }
      return Reading(
        at: heard.at, session: session, transit: heard.at - .zero - NTPTime.interval(time),
        roundTrip: roundTrip)
    }
  }

  private func toldRoundTrips(of node: Lab.Node) -> [Interval] {
    node.heard.compactMap {
      if case .roundTrip(_, let interval) = $0.output { interval } else { nil }
    }
  }

  private func pair(
    _ lab: Lab, _ transport: Transport, capabilities: UInt32 = Hello.takesClockedPong
  ) -> (Lab.Node, Lab.Node) {
    let anna = lab.add("anna", .init(transport: transport))
    let bert = lab.add("bert", .init(transport: transport, capabilities: capabilities))
    lab.introduceAll()
    return (anna, bert)
  }

  @Test(arguments: [Transport.udp, .tcp])
  func `the sender's clock comes together with the proof`(transport: Transport) throws {
    let lab = Lab(seed: 17)
    lab.weather.delay = .milliseconds(40)
    let (anna, bert) = pair(lab, transport)
    lab.run(.seconds(2))
    for (node, other) in [(anna, bert), (bert, anna)] {
      let proof = node.heard.firstIndex { if case .proved = $0.output { true } else { false } }
      let clock = node.heard.firstIndex { if case .clock = $0.output { true } else { false } }
      #expect(try #require(proof) < #require(clock))
      let reading = try #require(readings(of: node).first)
      #expect(reading.session == other.session)
      #expect(reading.at - node.heard[try #require(proof)].at < .milliseconds(1))
      #expect(abs(reading.transit.milliseconds - 40) < 1)
      #expect(abs(reading.roundTrip.milliseconds - 80) < 1)
    }
  }

  @Test(arguments: [Transport.udp, .tcp])
  func `each answer to a ping tells the clock, and how long it took`(transport: Transport) {
    let lab = Lab(seed: 18)
    lab.weather.delay = .milliseconds(40)
    let (anna, bert) = pair(lab, transport)
    lab.run(.seconds(10))
    for node in [anna, bert] {
      let told = readings(of: node)
      // Two a second on each link; of two TCP links one is closed after three seconds.
      #expect((15...30).contains(told.count))
      for reading in told {
        #expect(abs(reading.transit.milliseconds - 40) < 1)
        #expect(abs(reading.roundTrip.milliseconds - 80) < 1)
      }
    }
  }

  @Test(arguments: [Transport.udp, .tcp])
  func `who says nothing of clocks in answers gets none, and answers as before`(
    transport: Transport
  ) {
    let lab = Lab(seed: 19)
    lab.weather.delay = .milliseconds(40)
    let (anna, bert) = pair(lab, transport, capabilities: 0)
    lab.run(.seconds(10))
    // Bert hears one clock with each link, two with TCP's; he still tells his own to Anna.
    #expect((1...2).contains(readings(of: bert).count))
    #expect(readings(of: anna).count > 15)
    for node in [anna, bert] {
      #expect(node.hub.counters.invalidFrames == 0)
      #expect(node.silences.isEmpty && node.losses.isEmpty)
      #expect(toldRoundTrips(of: node).allSatisfy { abs($0.milliseconds - 80) < 1 })
    }
  }

  /// TCP stands still for two seconds, `offset` after both sides know of each other.
  private func interrupted(after offset: Int64) -> (Lab.Node, Lab.Node) {
    let lab = Lab(seed: 20)
    lab.weather.delay = .milliseconds(40)
    let nodes = pair(lab, .tcp)
    lab.run(.milliseconds(offset))
    lab.weather.isTCPDown = true
    lab.run(.seconds(2))
    lab.weather.isTCPDown = false
    lab.run(.seconds(4))
    return nodes
  }

  @Test func `whatever holds a handshake up, a clock was read within the round trip told with it`()
  {
    for offset in stride(from: 85 as Int64, to: 500, by: 20) {
      let (anna, bert) = interrupted(after: offset)
      for node in [anna, bert] {
        #expect(!node.proved.isEmpty)
        for reading in readings(of: node) {
          #expect(reading.transit >= .zero && reading.transit <= reading.roundTrip, "\(offset)")
        }
      }
    }
  }

  @Test func `a handshake that an outage held up is not taken for the path's round trip`() throws {
    var delayed = 0
    for offset in stride(from: 205 as Int64, to: 500, by: 20) {
      let (anna, bert) = interrupted(after: offset)
      for node in [anna, bert] {
        let first = try #require(toldRoundTrips(of: node).first)
        #expect(first < .milliseconds(85), "\(node.name), \(offset): \(first)")
        if readings(of: node).contains(where: { $0.roundTrip > .seconds(1) }) { delayed += 1 }
      }
    }
    #expect(delayed > 5)
  }
}
