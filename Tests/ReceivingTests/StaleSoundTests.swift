import ErasureCoding
import Receiving
import Testing
import Units
import Wire

/// What waited somewhere for seconds is never heard, and what follows it is heard at once (THREATS R8).
@Suite struct StaleSoundTests {
  private let roundTrip = Interval.milliseconds(50)
  private func instant(_ milliseconds: Int) -> Instant {
    .zero + .milliseconds(Int64(milliseconds))
  }

  /// Packet n was captured at n × 20 ms; from the third on each carries copies of the two before it.
  private func packet(_ number: Int) -> [UInt8] {
    let sound: [UInt8] = [0x48, 0, UInt8(number >> 8), UInt8(number & 0xFF)]
    let copies = (number < 2 ? [] : [1_920, 960]).map {
      RedundantAudio.Copy(offset: UInt16($0), bytes: sound[...])
    }
    return RTPPacket(
      isMarked: false, payloadType: MediaStream.PayloadType.redundantOpus,
      sequence: SequenceNumber(UInt16(number)), timestamp: UInt32(number * 960),
      source: MediaStream.Source.audio,
      payload: RedundantAudio(copies: copies, newest: sound[...]).encoded[...]
    ).encoded
  }

  /// Hands over `numbers` at once; which of them are to be heard.
  private func take(
    _ numbers: Range<Int>, into receiver: inout MediaReceiver, at now: Instant
  ) -> [Int] {
    for number in numbers { receiver.handle(.packet(packet(number)[...]), at: now) }
    var heard: [Int] = []
    while let output = receiver.nextOutput() {
      if case .audio(let packet) = output {
        heard.append(Int(UInt32(truncatingIfNeeded: packet.rtpTimestamp)) / 960)
      }
    }
    return heard
  }

  private func started(until count: Int) -> MediaReceiver {
    var receiver = MediaReceiver(erasureCode: CauchyErasureCode())
    receiver.handle(.roundTrip(roundTrip), at: instant(0))
    // Tells what timestamp 0 is on the sender's clock.
    let report = SenderReport(
      source: MediaStream.Source.audio, time: 7 << 32, timestamp: 0, packetCount: 0, byteCount: 0)
    receiver.handle(.report(RTCPCompound([.senderReport(report)]).encoded[...]), at: instant(30))
    for number in 0..<count {
      let heard = take(number..<number + 1, into: &receiver, at: instant(number * 20 + 30))
      #expect(heard == [number])
    }
    return receiver
  }

  @Test func `before the first packet that came nothing was missed`() {
    var receiver = MediaReceiver(erasureCode: CauchyErasureCode())
    #expect(take(5..<6, into: &receiver, at: instant(130)) == [5])
    #expect(take(7..<8, into: &receiver, at: instant(170)) == [6, 7])
  }

  /// The peer's clock is 7 s ahead of the timestamps of its sound.
  private func acquainted(clockAt: Int) -> MediaReceiver {
    var receiver = MediaReceiver(erasureCode: CauchyErasureCode())
    receiver.handle(.roundTrip(roundTrip), at: instant(clockAt))
    let left = Instant.zero + .seconds(7) + .milliseconds(Int64(clockAt - 30))
    receiver.handle(.clock(NTPTime.at(left), roundTrip: roundTrip), at: instant(clockAt))
    return receiver
  }

  private func report(_ source: UInt32) -> [UInt8] {
    RTCPCompound([
      .senderReport(
        SenderReport(source: source, time: 7 << 32, timestamp: 0, packetCount: 0, byteCount: 0))
    ]).encoded
  }

  @Test func `what waited since the link was made is not heard, though nothing came before it`() {
    var receiver = acquainted(clockAt: 20)
    // The network failed right after the handshake, for 4 s.
    receiver.handle(.report(report(MediaStream.Source.audio)[...]), at: instant(4_000))
    let heard = take(0..<200, into: &receiver, at: instant(4_000))
    #expect(heard.last == 199)
    #expect(heard.allSatisfy { $0 * 20 + 30 >= 4_000 - 400 - 40 }, "\(heard)")
  }

  @Test func `what was heard before the first report lets nothing stale follow`() {
    var receiver = acquainted(clockAt: 20)
    #expect(take(0..<3, into: &receiver, at: instant(4_000)) == [0, 1, 2])
    receiver.handle(.report(report(MediaStream.Source.audio)[...]), at: instant(4_001))
    #expect(take(3..<100, into: &receiver, at: instant(4_002)).isEmpty)
    #expect(take(198..<199, into: &receiver, at: instant(4_010)).contains(198))
  }

  @Test func `what a clock told a minute ago says nothing`() {
    var receiver = acquainted(clockAt: 20)
    // The path became three seconds longer meanwhile.
    receiver.handle(.report(report(MediaStream.Source.audio)[...]), at: instant(63_030))
    #expect(take(3_000..<3_001, into: &receiver, at: instant(63_030)) == [3_000])
  }

  @Test func `the fastest link's clock counts`() {
    var receiver = acquainted(clockAt: 20)
    // Another link's handshake took two seconds longer.
    receiver.handle(
      .clock(NTPTime.at(.zero + .seconds(7)), roundTrip: .milliseconds(2_050)), at: instant(2_030))
    receiver.handle(.report(report(MediaStream.Source.audio)[...]), at: instant(2_040))
    #expect(take(0..<1, into: &receiver, at: instant(2_040)).isEmpty)
  }

  /// The outage began with the handshake's last message: its clock left at 0 and came at 4 s with all
  /// the sound since, or was only asked for then.
  private func heldUp(clockLeftAt left: Int, till now: Int) -> MediaReceiver {
    var receiver = MediaReceiver(erasureCode: CauchyErasureCode())
    receiver.handle(.roundTrip(roundTrip), at: instant(now))
    let time = NTPTime.at(.zero + .seconds(7) + .milliseconds(Int64(left)))
    receiver.handle(.clock(time, roundTrip: .milliseconds(4_020)), at: instant(now))
    receiver.handle(.report(report(MediaStream.Source.audio)[...]), at: instant(now))
    return receiver
  }

  @Test func `a clock that waited with the sound behind it excuses none of it`() {
    var receiver = heldUp(clockLeftAt: 0, till: 4_000)
    let heard = take(0..<199, into: &receiver, at: instant(4_000))
    #expect(heard.last == 198)
    #expect(heard.allSatisfy { $0 * 20 + 30 >= 4_000 - 400 - 40 }, "\(heard)")
  }

  @Test func `if it was the question that waited, sound is heard as soon as another answer tells`()
  {
    var receiver = heldUp(clockLeftAt: 3_970, till: 4_000)
    #expect(take(198..<200, into: &receiver, at: instant(4_020)).isEmpty)
    let answer = NTPTime.at(.zero + .seconds(7) + .milliseconds(4_010))
    receiver.handle(.clock(answer, roundTrip: roundTrip), at: instant(4_040))
    #expect(take(200..<201, into: &receiver, at: instant(4_040)).contains(200))
  }

  @Test func `sound is late by the first clock that did not wait, though others did`() {
    var receiver = heldUp(clockLeftAt: 0, till: 4_000)
    let answer = NTPTime.at(.zero + .seconds(7) + .milliseconds(4_010))
    receiver.handle(.clock(answer, roundTrip: roundTrip), at: instant(4_040))
    #expect(take(100..<101, into: &receiver, at: instant(4_041)).isEmpty)
    // And a path that is longer by then is believed like any other.
    var heard: [Int] = []
    for number in 201..<300 {
      heard += take(number..<number + 1, into: &receiver, at: instant(number * 20 + 1_030))
    }
    #expect(heard.first.map { $0 > 220 && $0 < 280 } == true, "\(heard)")
  }

  /// Whoever lies about its clock can silence only itself, and only until it has told the truth again.
  @Test(arguments: [UInt64.min, 1, 7 << 32, 1 << 63, .max], [UInt64.min, 1 << 63, .max])
  func `a clock and reports of any value never trap, and honest ones mend all`(
    clock: UInt64, reported: UInt64
  ) {
    var receiver = started(until: 10)
    for (number, timestamp) in [(10, UInt32.min), (11, UInt32.max), (12, 1 << 31)] {
      let at = instant(number * 20 + 30)
      for roundTrip in [Interval.zero, .milliseconds(50), .milliseconds(1 << 43)] {
        receiver.handle(.clock(clock, roundTrip: roundTrip), at: at)
        receiver.handle(.clock(reported, roundTrip: roundTrip), at: at)
      }
      let report = SenderReport(
        source: MediaStream.Source.audio, time: reported, timestamp: timestamp,
        packetCount: .max, byteCount: .max)
      receiver.handle(.report(RTCPCompound([.senderReport(report)]).encoded[...]), at: at)
      _ = take(number..<number + 1, into: &receiver, at: at)
    }
    receiver.handle(.report(report(MediaStream.Source.audio)[...]), at: instant(300))
    var heard: [Int] = []
    for number in 13..<4_000 {
      let at = instant(number * 20 + 30)
      if number % 50 == 0 {
        let left = Instant.zero + .seconds(7) + .milliseconds(Int64(number * 20))
        receiver.handle(.clock(NTPTime.at(left), roundTrip: roundTrip), at: at)
        receiver.handle(.report(report(MediaStream.Source.audio)[...]), at: at)
      }
      heard += take(number..<number + 1, into: &receiver, at: at)
    }
    #expect(heard.suffix(500).elementsEqual(3_500..<4_000))
  }

  @Test func `sound that is late but follows goes on, whatever answers tell`() {
    var receiver = started(until: 50)
    for number in 50..<150 {
      // A queue that grows by a third of real time; answers to pings go another way.
      let at = number * 20 + 30 + (number - 50) * 7
      if number % 25 == 0 {
        let left = Instant.zero + .seconds(7) + .milliseconds(Int64(at - 30))
        receiver.handle(.clock(NTPTime.at(left), roundTrip: .milliseconds(60)), at: instant(at))
      }
      #expect(take(number..<number + 1, into: &receiver, at: instant(at)) == [number])
    }
  }

  @Test func `a longer round trip that TCP's repetitions make excuses nothing`() {
    var receiver = MediaReceiver(erasureCode: CauchyErasureCode())
    receiver.handle(.roundTrip(roundTrip), at: instant(0))
    receiver.handle(.roundTrip(.seconds(2)), at: instant(100))
    #expect(take(10..<11, into: &receiver, at: instant(230)) == [10])
    #expect(take(11..<12, into: &receiver, at: instant(1_250)).isEmpty)
  }

  @Test func `of what waited in a socket for ten seconds only the newest is heard`() {
    var receiver = started(until: 100)
    // Stopped at 2 s; the socket held the first 180 packets, the others were lost.
    #expect(take(100..<280, into: &receiver, at: instant(12_000)).isEmpty)
    // A packet's copies are heard with it, even where the packets themselves were lost.
    #expect(take(598..<599, into: &receiver, at: instant(12_000)) == [596, 597, 598])
    for number in 599..<700 {
      #expect(
        take(number..<number + 1, into: &receiver, at: instant(number * 20 + 30)) == [number])
    }
  }

  @Test func `of what waited in TCP for ten seconds only the newest 400 ms are heard`() {
    var receiver = started(until: 100)
    let heard = take(100..<600, into: &receiver, at: instant(12_000))
    #expect(heard.last == 599)
    #expect(heard.allSatisfy { $0 * 20 + 30 >= 12_000 - 400 - 40 }, "\(heard)")
  }

  @Test func `a backlog that drains slowly is not heard, and sound goes on at its end`() {
    var receiver = started(until: 100)
    // Eight seconds of it come at four times their speed.
    var number = 100
    for at in stride(from: 10_000, to: 12_660, by: 20) {
      let late = at - (number + 3) * 20 - 30
      let heard = take(number..<number + 4, into: &receiver, at: instant(at))
      if late > 460 { #expect(heard.isEmpty, "\(late) ms late") }
      if late < 380 { #expect(heard.contains(number + 3), "\(late) ms late") }
      number += 4
    }
  }

  @Test func `sound that a growing queue makes later and later is heard all the time`() {
    var receiver = started(until: 100)
    var heard: [Int] = []
    for number in 100..<500 {
      // A second more within four, and back again.
      let late = min(number - 100, 200, max(0, 500 - number)) * 5
      heard += take(number..<number + 1, into: &receiver, at: instant(number * 20 + 30 + late))
    }
    #expect(heard.elementsEqual(100..<500))
  }

  @Test func `a path that became a second longer is believed within two`() {
    var receiver = started(until: 100)
    var heard: [Int] = []
    for number in 100..<400 {
      heard += take(number..<number + 1, into: &receiver, at: instant(number * 20 + 1_030))
    }
    #expect(heard.count > 200)
    #expect(heard.suffix(150).elementsEqual(250..<400))
  }
}

/// The jitter buffer of a process that stood still.
@Suite struct StoppedBufferTests {
  private func packet(_ number: Int, at: Instant) -> AudioPacket {
    AudioPacket(
      bytes: [0x48, 0], rtpTimestamp: Int64(number) * 960, index: PacketIndex(Int64(number)),
      samples: 960, arrivedAt: at)
  }

  @Test func `what waited in it is not played`() {
    var buffer = AudioJitterBuffer()
    buffer.hold = .milliseconds(100)
    var played: [Int64] = []
    func play(_ ticks: Range<Int>, withPackets: Bool = true) {
      for tick in ticks {
        let now = Instant.zero + .milliseconds(Int64(tick) * 20)
        if withPackets { buffer.insert(packet(tick, at: now)) }
        if case .decode(let packet, _) = buffer.pull(pending: 0, at: now) {
          played.append(packet.index.value)
        }
      }
    }
    play(0..<100)
    #expect(played.last == 94, "five wait")
    // Nothing has come since 2 s; at 12 s the process goes on.
    play(600..<601, withPackets: false)
    #expect(played.last == 94)
    play(601..<620)
    #expect(played.dropFirst(95).first.map { $0 >= 601 } == true)
    #expect(played.last.map { $0 >= 612 } == true)
  }
}
