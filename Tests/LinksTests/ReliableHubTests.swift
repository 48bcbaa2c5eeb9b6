import Links
import Testing
import Units
import Wire

/// Reliable messages between whole hubs: exactly once, in order, whatever the network does.
@Suite struct ReliableHubTests {
  private func message(_ number: Int, bytes: Int) -> [UInt8] {
    var random = SeededRandom(seed: UInt64(number))
    return [UInt8(number >> 8), UInt8(number & 255)] + random.bytes(bytes)
  }

  @Test(arguments: 1...4)
  func `messages arrive once and in order under loss, duplication and reordering`(seed: UInt64) {
    let lab = Lab(seed: seed)
    let anna = lab.add("anna", .init(transport: .udp))
    let bert = lab.add("bert", .init(transport: .udp))
    lab.introduceAll()
    lab.run(.seconds(1))
    lab.weather = .init(jitter: .milliseconds(30), loss: 0.2, duplication: 0.1)
    let lines = (0..<60).map { message($0, bytes: $0 % 7 == 0 ? 5_000 : 40) }
    for (number, line) in lines.enumerated() {
      lab.feed(anna, .sendReliable(bert.session, .chat, line, id: UInt64(number)))
      lab.feed(bert, .sendReliable(anna.session, .control, line, id: UInt64(1_000 + number)))
      lab.run(.milliseconds(10))
    }
    lab.run(.seconds(60)) {
      bert.messages(on: .chat).count == 60 && anna.messages(on: .control).count == 60
        && anna.delivered(on: .chat).count == 60 && bert.delivered(on: .control).count == 60
    }
    #expect(bert.messages(on: .chat) == lines)
    #expect(anna.messages(on: .control) == lines)
    #expect(anna.delivered(on: .chat) == (0..<60).map { UInt64($0) })
    #expect(bert.delivered(on: .control) == (1_000..<1_060).map { UInt64($0) })
    #expect(lab.stuck.isEmpty)
  }

  @Test(arguments: 1...3)
  func `messages survive changes of carrier`(seed: UInt64) {
    let lab = Lab(seed: seed)
    let anna = lab.add("anna")
    let bert = lab.add("bert")
    lab.introduceAll()
    lab.run(.seconds(2))
    let lines = (0..<200).map { message($0, bytes: 300) }
    for (number, line) in lines.enumerated() {
      // UDP goes and comes, connections are cut.
      if number % 50 == 10 { lab.weather.isUDPDown = true }
      if number % 50 == 40 { lab.weather.isUDPDown = false }
      if number % 50 == 25 { lab.cutStreams(of: anna) }
      lab.feed(anna, .sendReliable(bert.session, .chat, line, id: UInt64(number)))
      lab.feed(bert, .sendReliable(anna.session, .chat, line, id: UInt64(number)))
      lab.run(.milliseconds(100))
    }
    lab.weather = .init()
    lab.run(.seconds(10))
    #expect(bert.messages(on: .chat) == lines)
    #expect(anna.messages(on: .chat) == lines)
    #expect(anna.delivered(on: .chat) == lines.indices.map { UInt64($0) })
    let carriers = Set(anna.selected.map(\.report.carrier))
    #expect(carriers == [.datagram, .stream])
  }

  @Test func `what is written to a connection that stands still is written once`() {
    let lab = Lab(seed: 6)
    let anna = lab.add("anna", .init(transport: .tcp))
    let bert = lab.add("bert", .init(transport: .tcp))
    lab.introduceAll()
    lab.run(.seconds(5))
    lab.weather.isTCPDown = true
    let line = message(1, bytes: 900)
    lab.feed(anna, .sendReliable(bert.session, .chat, line, id: 1))
    lab.run(.seconds(12))
    lab.weather.isTCPDown = false
    lab.run(.seconds(5))
    let copies = anna.heard.count {
      if case .write(let bytes, _) = $0.output { bytes.count >= line.count } else { false }
    }
    #expect(copies == 1)
    #expect(bert.messages(on: .chat) == [line])
    #expect(anna.delivered(on: .chat) == [1])
  }

  @Test func `what was written before there is a link arrives when there is one`() {
    let lab = Lab(seed: 31)
    let anna = lab.add("anna")
    let bert = lab.add("bert")
    lab.feed(anna, .peerAppeared(bert.session))
    lab.feed(anna, .sendReliable(bert.session, .chat, [1], id: 1))
    lab.feed(bert, .peerAppeared(anna.session))
    lab.run(.seconds(2))
    #expect(bert.messages(on: .chat) == [[1]])
    #expect(anna.delivered(on: .chat) == [1])
  }

  @Test func `messages that a lost session didn't get arrive when it comes back`() {
    let lab = Lab(seed: 32)
    let anna = lab.add("anna", .init(transport: .udp))
    let bert = lab.add("bert", .init(transport: .udp))
    lab.introduceAll()
    lab.run(.seconds(1))
    lab.feed(anna, .sendReliable(bert.session, .chat, [1], id: 1))
    lab.run(.seconds(1))
    lab.weather.isUDPDown = true
    lab.feed(anna, .sendReliable(bert.session, .chat, [2], id: 2))
    lab.run(.seconds(40))
    #expect(anna.losses.count == 1)
    lab.weather = .init()
    lab.introduceAll()
    lab.run(.seconds(3))
    lab.feed(anna, .sendReliable(bert.session, .chat, [3], id: 3))
    lab.run(.seconds(1))
    #expect(bert.messages(on: .chat) == [[1], [2], [3]])
    #expect(anna.delivered(on: .chat) == [1, 2, 3])
  }

  @Test func `a file doesn't hold up a chat line`() {
    let lab = Lab(seed: 33)
    let anna = lab.add("anna", .init(transport: .udp))
    let bert = lab.add("bert", .init(transport: .udp))
    lab.introduceAll()
    lab.run(.seconds(1))
    for number in 0..<15 {
      let part = [UInt8](repeating: 1, count: 65_000)
      lab.feed(anna, .sendReliable(bert.session, .files, part, id: UInt64(number)))
    }
    lab.feed(anna, .sendReliable(bert.session, .chat, [9], id: 99))
    lab.run(.milliseconds(50)) { !bert.messages(on: .chat).isEmpty }
    #expect(bert.messages(on: .chat) == [[9]])
    #expect(bert.messages(on: .files).count < 15)
    lab.run(.seconds(20)) { bert.messages(on: .files).count == 15 }
    #expect(bert.messages(on: .files).count == 15)
  }

  @Test func `queues are bounded and refusals are told`() {
    let lab = Lab(seed: 34)
    let anna = lab.add("anna")
    let bert = lab.add("bert")
    func refusals() -> [ReliableRefusal] {
      anna.heard.compactMap { if case .refused(_, _, _, let why) = $0.output { why } else { nil } }
    }
    lab.feed(anna, .sendReliable(bert.session, .chat, [1], id: 0))
    #expect(refusals() == [.unknownPeer])
    lab.feed(anna, .peerAppeared(bert.session))
    lab.feed(anna, .sendReliable(bert.session, .link, [1], id: 0))
    let long = [UInt8](repeating: 0, count: ReliableSegment.messageLimit + 1)
    lab.feed(anna, .sendReliable(bert.session, .files, long, id: 0))
    #expect(refusals() == [.unknownPeer, .notAllowed, .notAllowed])
    for number in 0..<5 {
      let part = [UInt8](repeating: 1, count: 65_536)
      lab.feed(anna, .sendReliable(bert.session, .chat, part, id: UInt64(number)))
    }
    #expect(refusals().suffix(1) == [.queueFull])
    #expect(refusals().count == 4)
    #expect(anna.hub.queuedBytes(to: bert.session, on: .chat) == 4 * 65_536)
  }

  @Test func `frames longer than a datagram are refused and counted`() {
    let lab = Lab(seed: 35)
    let anna = lab.add("anna", .init(transport: .udp))
    let bert = lab.add("bert", .init(transport: .udp))
    lab.introduceAll()
    lab.run(.seconds(1))
    let longest = [UInt8](repeating: 1, count: Frame.datagramLimit - 1)
    lab.feed(anna, .send(bert.session, .rtp, longest))
    lab.feed(anna, .send(bert.session, .rtp, longest + [1]))
    lab.run(.milliseconds(100))
    #expect(bert.frames == [longest])
    #expect(anna.hub.counters.oversizedFrames == 1)
  }

  @Test func `media aren't queued behind a connection that doesn't drain`() {
    let lab = Lab(seed: 36)
    let anna = lab.add("anna", .init(transport: .tcp))
    let bert = lab.add("bert", .init(transport: .tcp))
    lab.introduceAll()
    lab.run(.seconds(1))
    for case .write(_, let stream) in anna.heard.map(\.output) {
      lab.feed(anna, .backlog(stream, 300_000))
    }
    #expect(anna.hub.backlog(of: bert.session) == 300_000)
    lab.feed(anna, .send(bert.session, .rtp, [1]))
    #expect(anna.hub.counters.droppedFrames == 1)
    for case .write(_, let stream) in anna.heard.map(\.output) {
      lab.feed(anna, .backlog(stream, 0))
    }
    lab.feed(anna, .send(bert.session, .rtp, [2]))
    lab.run(.milliseconds(100))
    #expect(bert.frames == [[2]])
  }

  @Test func `a peer who asks and never reads is hung up, and may come again`() {
    let lab = Lab(seed: 37)
    let anna = lab.add("anna", .init(transport: .tcp))
    let bert = lab.add("bert", .init(transport: .tcp))
    lab.introduceAll()
    lab.run(.seconds(1))
    let before = anna.heard.count
    for case .write(_, let stream) in anna.heard.map(\.output) {
      lab.feed(anna, .backlog(stream, 2 << 20))
    }
    let hungUp = anna.heard[before...].count {
      if case .hangUp = $0.output { true } else { false }
    }
    #expect(hungUp >= 1)
    lab.run(.seconds(3))
    lab.feed(anna, .send(bert.session, .rtp, [3]))
    lab.run(.milliseconds(100))
    #expect(bert.frames == [[3]])
    #expect(lab.stuck.isEmpty)
  }
}
