import Media
import Testing
import Units
import Wire

@testable import Sending

@Suite struct AudioRedundancyTests {
  /// Sound and four packets of pictures for each of it; `isLost` is asked for each packet.
  private func feed(
    _ redundancy: inout AudioRedundancy, rounds: Int, from first: Int = 0,
    isOverflowing: Bool = false,
    isLost: (Int) -> Bool
  ) -> Int {
    var number = first
    for _ in 0..<rounds {
      var arrivals: [Int16?] = []
      let base = SequenceNumber(UInt16(truncatingIfNeeded: number))
      for place in 0..<5 {
        if place == 0 {
          redundancy.noteSent(SequenceNumber(UInt16(truncatingIfNeeded: number)))
        }
        arrivals.append(isLost(number) ? nil : 1)
        number += 1
      }
      redundancy.handle(
        TransportFeedback(
          reporter: 1, source: 0, base: base, referenceTime: 0, count: 0, arrivals: arrivals),
        isOverflowing: isOverflowing)
    }
    return number
  }

  @Test func `before anything is known two copies go along, and where nothing is lost none`() {
    var redundancy = AudioRedundancy()
    #expect(redundancy.distances(affordable: 9) == [1, 2])
    _ = feed(&redundancy, rounds: 300) { _ in false }
    #expect(redundancy.copies == 0)
    #expect(redundancy.distances(affordable: 9).isEmpty)
  }

  @Test(arguments: [(0.01, 1...1), (0.05, 2...2), (0.1, 3...3), (0.2, 3...3)])
  func `copies follow the loss within three seconds`(loss: Double, copies: ClosedRange<Int>) {
    for seed in 1...20 as ClosedRange<UInt64> {
      var redundancy = AudioRedundancy()
      let clean = feed(&redundancy, rounds: 300) { _ in false }
      var random = SeededRandom(seed: seed)
      // Ten losses are needed to tell one per cent, whatever the time.
      let next = feed(&redundancy, rounds: loss < 0.05 ? 200 : 150, from: clean) { _ in
        random.chance(loss)
      }
      if loss > 0.05 { #expect(copies.contains(redundancy.copies), "seed \(seed)") }
      // And they do not swing: they stay while it lasts.
      var seen: [Int: Int] = [:]
      var number = next
      for _ in 0..<1_000 {
        number = feed(&redundancy, rounds: 1, from: number) { _ in random.chance(loss) }
        seen[redundancy.copies, default: 0] += 1
      }
      #expect(copies.reduce(0) { $0 + (seen[$1] ?? 0) } >= 800, "seed \(seed): \(seen)")
    }
  }

  @Test func `a loss that ends is remembered for seconds, not for ever`() {
    var redundancy = AudioRedundancy()
    var random = SeededRandom(seed: 7)
    var number = feed(&redundancy, rounds: 1_000) { _ in random.chance(0.1) }
    #expect(redundancy.copies == 3)
    number = feed(&redundancy, rounds: 50, from: number) { _ in false }
    #expect(redundancy.copies >= 2, "after a second")
    number = feed(&redundancy, rounds: 1_500, from: number) { _ in false }
    #expect(redundancy.copies == 0, "after half a minute")
  }

  @Test func `bursts put copies further apart`() {
    var redundancy = AudioRedundancy()
    // Every hundred packets of sound four in a row are lost, with all between.
    _ = feed(&redundancy, rounds: 3_000) { $0 / 5 % 100 < 4 }
    #expect(redundancy.distances(affordable: 9).last == 4)
    let few = redundancy.distances(affordable: 1)
    #expect(few == [4])
    let two = redundancy.distances(affordable: 2)
    #expect(two == [2, 4])
  }

  @Test(arguments: [(0.1, [1, 2, 3]), (0.2, [2, 3, 4])])
  func `only where very much is lost three copies lie further apart`(loss: Double, wanted: [Int]) {
    var redundancy = AudioRedundancy()
    // Of pictures' packets only, so that no run of sound is long.
    let step = Int(1 / loss)
    _ = feed(&redundancy, rounds: 1_000) { $0 % step == 1 }
    #expect(redundancy.distances(affordable: 9) == wanted)
    #expect(redundancy.distances(affordable: 2) == [1, 2])
  }

  @Test func `a queue that overflows is not fed with copies`() {
    var redundancy = AudioRedundancy()
    let next = feed(&redundancy, rounds: 300) { _ in false }
    let end = feed(&redundancy, rounds: 300, from: next, isOverflowing: true) { $0 % 5 == 1 }
    #expect(redundancy.copies == 0)
    _ = feed(&redundancy, rounds: 300, from: end) { $0 % 5 == 1 }
    #expect(redundancy.copies == 3)
  }

  @Test func `over a stream no copies go along`() throws {
    var sending = SendingRun()
    sending.handle(.stream)
    for _ in 0..<5 {
      sending.send(audio: [0x78, 1])
      sending.run(for: .milliseconds(20))
    }
    let types = try sending.media(MediaStream.Source.audio).map(\.payloadType)
    #expect(types == [UInt8](repeating: MediaStream.PayloadType.opus, count: 5))
    #expect(sending.audio.last?.copies == 0)
  }

  @Test func `an outage teaches nothing`() {
    var redundancy = AudioRedundancy()
    let number = feed(&redundancy, rounds: 600) { _ in false }
    redundancy.handle(
      TransportFeedback(
        reporter: 1, source: 0, base: SequenceNumber(UInt16(truncatingIfNeeded: number)),
        referenceTime: 0, count: 0, arrivals: [Int16?](repeating: nil, count: 900) + [1]))
    #expect(redundancy.copies == 0)
  }
}

@Suite struct AudioCopiesTests {
  private func frame(_ number: Int, samples: Int = 960, count: Int = 40) -> EncodedAudioFrame {
    EncodedAudioFrame(
      bytes: [0x78, 0, UInt8(number & 0xFF)] + [UInt8](repeating: 9, count: count - 3),
      samples: samples, capturedAt: Instant(nanoseconds: Int64(number) * 20_000_000))
  }

  @Test func `a packet carries those that were asked for, with their own times`() throws {
    var packetizer = AudioPacketizer(SendingConfiguration())
    var packet: RTPPacket?
    for number in 0..<6 { packet = packetizer.packet(of: frame(number), distances: [1, 3]) }
    let found = try #require(packet)
    #expect(found.payloadType == MediaStream.PayloadType.redundantOpus)
    let payload = try RedundantAudio(decoding: found.payload)
    #expect(Array(payload.newest) == frame(5).bytes)
    #expect(payload.copies.map(\.offset) == [2_880, 1_920, 960])
    #expect(payload.copies.map { Array($0.bytes) } == [frame(2).bytes, [], frame(4).bytes])
  }

  @Test func `without copies a packet is plain Opus, as is the first of all`() throws {
    var packetizer = AudioPacketizer(SendingConfiguration())
    let packets = [[1, 2], []].enumerated().map {
      packetizer.packet(of: frame($0.offset), distances: $0.element)
    }
    let first = try #require(packets[0])
    let second = try #require(packets[1])
    #expect(first.payloadType == MediaStream.PayloadType.opus)
    #expect(Array(first.payload) == frame(0).bytes)
    #expect(second.payloadType == MediaStream.PayloadType.opus)
  }

  @Test func `a pause is not bridged by copies that the format cannot date`() throws {
    var packetizer = AudioPacketizer(SendingConfiguration())
    for number in 0..<3 { _ = packetizer.packet(of: frame(number), distances: [1, 2]) }
    let last = packetizer.packet(of: frame(100), distances: [1, 2])
    let after = try #require(last)
    #expect(after.isMarked)
    #expect(after.payloadType == MediaStream.PayloadType.opus)
  }

  @Test func `what does not fit one packet is left away`() throws {
    var packetizer = AudioPacketizer(SendingConfiguration())
    for number in 0..<4 {
      _ = packetizer.packet(of: frame(number, count: 500), distances: [1, 2, 3])
    }
    let last = packetizer.packet(of: frame(4, count: 500), distances: [1, 2, 3])
    let packet = try #require(last)
    #expect(packet.encoded.count <= MediaStream.packetLimit)
    let payload = try RedundantAudio(decoding: packet.payload)
    #expect(payload.copies.map(\.bytes.count) == [500])
  }

  @Test func `a narrow path gets fewer copies, a wide one all`() {
    let overhead = SendingConfiguration().overhead
    func room(_ kilobits: Int64) -> Int {
      SoundShare(of: .kilobits(kilobits)).packetRoom(frame(0, count: 35), overhead: overhead)
    }
    #expect(room(80) == 0)
    #expect(room(120) == 0)
    #expect(room(150) == 1)
    #expect(room(200) == 2)
    #expect(room(1_000) >= 3)
  }
}
