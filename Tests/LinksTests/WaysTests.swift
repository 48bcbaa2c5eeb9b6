import Links
import Testing
import Units
import Wire

/// Calls that go over relays alone, and calls that go over none.
@Suite struct WaysTests {
  /// Two who have a relay between them and could meet directly as well.
  private func pair(
    seed: UInt64, _ left: Lab.Options, _ right: Lab.Options = Lab.Options(),
    carriers: [RelayServer.Carrier] = [.udp], _ prepare: (Lab, LabRelay) -> Void = { _, _ in }
  ) -> (lab: Lab, relay: LabRelay, anna: Lab.Node, bert: Lab.Node) {
    let lab = Lab(seed: seed)
    lab.isPublic = true
    let relay = LabRelay()
    lab.relay = relay
    prepare(lab, relay)
    let anna = lab.add("anna", left)
    let bert = lab.add("bert", right)
    for node in [anna, bert] { lab.feed(node, .relays(relay.grant(carriers))) }
    lab.introduceAll()
    return (lab, relay, anna, bert)
  }

  private func hidden(_ transport: Transport = .auto) -> Lab.Options {
    var options = Lab.Options()
    options.transport = transport
    options.ways = .relayed
    options.stunServers = [SocketAddress(.v4(192, 0, 2, 60), port: 3_478)]
    return options
  }

  private func talk(_ lab: Lab, _ left: Lab.Node, _ right: Lab.Node) {
    lab.feed(left, .send(right.session, .rtp, [7]))
    lab.feed(right, .send(left.session, .rtp, [7]))
    lab.run(.milliseconds(300))
    #expect(left.frames.last == [7])
    #expect(right.frames.last == [7])
  }

  /// What of a node's outputs tells a peer one of these addresses, or goes to a peer.
  private func leaks(of node: Lab.Node, past relay: LabRelay, own: [SocketAddress]) -> [String] {
    // Sessions in the laboratory do not encrypt: descriptions on links are seen here too.
    func tells(_ bytes: [UInt8]) -> Bool {
      own.contains { address in
        let name = address.ip.bytes + [UInt8(address.port >> 8), UInt8(address.port & 255)]
        return bytes.indices.contains { bytes[$0...].starts(with: name) }
      }
    }
    return node.heard.compactMap { _, output in
      switch output {
      case .transmit(let bytes, let address, _):
        tells(bytes) ? "own address sent" : address != relay.address ? "to \(address)" : nil
      case .dial(_, let address): address != relay.address ? "dialled \(address)" : nil
      case .write(let bytes, let stream):
        tells(bytes) ? "own address written" : !stream.isToRelay ? "written to a peer" : nil
      case .describe(_, let description):
        tells(description.encoded) || description.candidates.contains { $0.kind != .relayed }
          ? "described as \(description.candidates)" : nil
      default: nil
      }
    }
  }

  private func addresses(of node: Lab.Node) -> [SocketAddress] {
    Array(node.sockets.values) + node.listeners
  }

  @Test(arguments: [Transport.auto, .udp, .tcp])
  func `S17: with relays only no address is told and no peer gets a packet`(transport: Transport) {
    let (lab, relay, anna, bert) = pair(
      seed: 1, hidden(transport), carriers: [.udp, .tcp])
    lab.run(.seconds(5))
    for node in [anna, bert] { #expect(node.selected.last?.report.isRelayed == true) }
    #expect(anna.selected.last?.report.carrier == (transport == .tcp ? .stream : .datagram))
    talk(lab, anna, bert)
    // Roams.
    let before = addresses(of: anna)
    anna.sockets[SocketID(0)] = SocketAddress(.v4(20, 0, 0, 77), port: 5_000)
    lab.feed(
      anna, .localEndpoints([.datagram(SocketID(0), SocketAddress(.v4(20, 0, 0, 77), port: 5_000))])
    )
    lab.run(.seconds(20))
    talk(lab, anna, bert)
    let own = before + addresses(of: anna)
    lab.feed(anna, .close)
    lab.run(.seconds(1))
    #expect(leaks(of: anna, past: relay, own: own) == [])
    #expect(anna.hub.counters.withheld == 0)
    #expect(lab.stuck.isEmpty)
    // The other side's are told and knocked at, so the search would have found something.
    let others = leaks(of: bert, past: relay, own: addresses(of: bert))
    for found in ["own address sent", "to ", "described"] {
      #expect(others.contains { $0.hasPrefix(found) })
    }
  }

  @Test func `S17: the exits alone hold when everything behind them knows nothing of it`() {
    let shield = AddressShield(.relayed)
    var careless = Lab.Options()
    careless.shield = shield
    let (lab, relay, anna, bert) = pair(seed: 2, careless, carriers: [.udp, .tcp])
    lab.run(.seconds(5))
    for node in [anna, bert] { #expect(node.selected.last?.report.isRelayed == true) }
    talk(lab, anna, bert)
    let before = addresses(of: anna)
    lab.feed(
      anna, .localEndpoints([.datagram(SocketID(0), SocketAddress(.v4(20, 0, 0, 1), port: 6_000))]))
    lab.feed(anna, .accepted(.accepted(9), from: SocketAddress(.v4(20, 0, 0, 9), port: 9)))
    lab.run(.seconds(5))
    lab.feed(anna, .close)
    lab.run(.seconds(1))
    let own = before + [SocketAddress(.v4(20, 0, 0, 1), port: 6_000)]
    #expect(leaks(of: anna, past: relay, own: own) == [])
    #expect(shield.withheld > 20)
    #expect(anna.hub.counters.withheld == shield.withheld)
  }

  @Test func `S17: a stranger who has found the socket learns nothing from it`() throws {
    for ways in [Ways.all, .relayed] {
      var options = Lab.Options()
      options.ways = ways
      let (lab, _, anna, _) = pair(seed: 3, options)
      lab.run(.seconds(2))
      let described = anna.heard.compactMap { _, output in
        if case .describe(_, let description) = output { description } else { nil }
      }
      let description = try #require(described.last)
      let ciphers = FakeCiphers(seed: 5)
      let check = StunMessage(
        .request, transactionID: [UInt8](repeating: 4, count: 12),
        attributes: [
          .username(description.userFragment + Array(":them".utf8)), .priority(1),
          .iceControlling(1),
        ]
      ).signed { ciphers.hmacSHA1(key: description.password, $0) }
      let stranger = SocketAddress(.v4(20, 0, 0, 99), port: 99)
      let heard = anna.heard.count
      lab.feed(anna, .datagram(check.encoded, from: stranger, on: SocketID(0)))
      lab.feed(anna, .accepted(.accepted(99), from: stranger))
      var (answers, hangUps) = (0, 0)
      for (_, output) in anna.heard[heard...] {
        if case .hangUp = output { hangUps += 1 } else { answers += 1 }
      }
      #expect((answers == 0) == (ways == .relayed))
      #expect((hangUps == 1) == (ways == .relayed), "at once")
      #expect(anna.hub.counters.withheld == 0)
    }
  }

  @Test func `who wants relays only and is granted none of use knows it`() {
    let options = hidden(.udp)
    let (lab, relay, anna, bert) = pair(seed: 4, options)
    #expect(!anna.hub.lacksRelays)
    lab.feed(anna, .relays(relay.grant([.tcp])))
    #expect(anna.hub.lacksRelays, "not with --transport udp")
    lab.feed(bert, .relays(relay.grant([])))
    #expect(!bert.hub.lacksRelays)
    lab.feed(anna, .relays(relay.grant([.tcp, .udp])))
    #expect(!anna.hub.lacksRelays)
  }

  @Test func `what passes the shield is what goes to a relay, and what nobody else sees`() {
    let relay = LabRelay()
    let own = SocketAddress(.v4(20, 0, 0, 1), port: 5_000)
    let peer = SocketAddress(.v4(20, 0, 0, 2), port: 5_000)
    func candidate(_ kind: Candidate.Kind, _ address: SocketAddress) -> Candidate {
      Candidate(transport: .udp, kind: kind, foundation: 1, priority: 1, address: address)
    }
    let good = candidate(.relayed, SocketAddress(.v4(192, 0, 2, 100), port: 50_000))
    var streamed = good
    streamed.transport = .tcp
    let candidates = [
      good, candidate(.host, own), candidate(.serverReflexive, peer), candidate(.relayed, own),
      streamed,
    ]
    let shield = AddressShield(.relayed)
    shield.note([.datagram(SocketID(0), own)])
    #expect(shield.tellable(candidates) == [good])
    #expect(shield.withheld == 4)
    let session = SessionID(bytes: [UInt8](repeating: 1, count: 16))!
    func passes(_ output: LinkHubOutput) -> Bool { shield.pass(output) != nil }
    #expect(!passes(.transmit([1], to: relay.address, from: SocketID(0))), "not granted yet")
    shield.note(relay.grant())
    #expect(passes(.transmit([1], to: relay.address, from: SocketID(0))))
    #expect(!passes(.transmit([1], to: peer, from: SocketID(0))))
    #expect(!passes(.transmit([1], to: relay.address, from: .relayed(1, over: .datagram))))
    #expect(!passes(.dial(.dialed(1), relay.address)))
    #expect(!passes(.dial(.dialed(UInt64.max), peer)))
    #expect(passes(.dial(.dialed(UInt64.max), relay.address)))
    #expect(!passes(.write([1], .accepted(UInt64.max))))
    #expect(!passes(.write([1], .dialed(1))))
    #expect(passes(.write([1], .dialed(UInt64.max))))
    #expect(passes(.hangUp(.accepted(1))))
    #expect(passes(.lost(session, .left)))
    // A grant that takes a relay away leaves time to give the address back; the next does not.
    shield.note(RelayGrant(lifetime: 1, credentials: relay.grant().credentials, servers: []))
    #expect(passes(.transmit([1], to: relay.address, from: SocketID(0))))
    shield.note(RelayGrant(lifetime: 1, credentials: relay.grant().credentials, servers: []))
    #expect(!passes(.transmit([1], to: relay.address, from: SocketID(0))))
    #expect(AddressShield(.all).tellable(candidates) == candidates)
    #expect(AddressShield(.direct).pass(.dial(.dialed(1), peer)) != nil)
  }

  @Test func `without relays none is asked, and a peer's is no way either`() {
    var direct = Lab.Options()
    direct.ways = .direct
    let (lab, relay, anna, bert) = pair(seed: 6, direct) { lab, _ in
      lab.weather.isDirectDown = true
      lab.weather.isTCPDown = true
    }
    lab.run(.seconds(20))
    #expect(relay.allocations == 1, "the other's")
    for node in [anna, bert] { #expect(node.selected.isEmpty) }
    let told = anna.heard.flatMap { _, output -> [Candidate] in
      if case .describe(_, let description) = output { description.candidates } else { [] }
    }
    #expect(!told.isEmpty && told.allSatisfy { $0.kind == .host })
    let isSentThere = anna.heard.contains { _, output in
      guard case .transmit(_, let address, _) = output else { return false }
      return relay.owns(address) || address == relay.address
    }
    #expect(!isSentThere)
    lab.weather.isDirectDown = false
    lab.run(.seconds(20))
    for node in [anna, bert] { #expect(node.selected.map(\.report.isRelayed) == [false]) }
    talk(lab, anna, bert)
  }

  @Test func `with TCP alone a relay is reached over TCP`() {
    var streams = Lab.Options()
    streams.transport = .tcp
    let (lab, relay, anna, bert) = pair(seed: 7, streams, carriers: [.udp, .tcp]) { lab, _ in
      lab.weather.isTCPDown = true
    }
    lab.run(.seconds(5))
    #expect(anna.selected.last?.report.isRelayed == true)
    #expect(anna.selected.last?.report.carrier == .stream)
    talk(lab, anna, bert)
    let sent = anna.heard.contains { _, output in
      if case .transmit = output { true } else { false }
    }
    #expect(!sent)
    #expect(relay.allocations == 2)
  }
}
