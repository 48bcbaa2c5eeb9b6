import Receiving
import Testing
import Units

/// A packet every 20 ms into the buffer, 10 or 20 ms out of it at a time.
@Suite struct AudioJitterBufferTests {
  private struct Run {
    var buffer = AudioJitterBuffer()
    var played: [Int64] = []
    var recovered = 0
    var concealed = 0
    var silent = 0
    /// From the instant at which a packet was sent to its playing.
    var delays: [Interval] = []
  }

  /// `arrival` tells when packet n, sent at n × 20 ms, comes; `nil` is lost.
  private func run(
    _ count: Int, wasQuiet: Bool = false, hold: Interval = .zero,
    arrival: (Int) -> Interval?
  ) -> Run {
    var run = Run()
    run.buffer.hold = hold
    let start = Instant(nanoseconds: 5_000_000_000)
    var arrivals: [(at: Instant, number: Int)] = []
    for number in 0..<count {
      if let delay = arrival(number) {
        arrivals.append((start + .milliseconds(Int64(number) * 20) + delay, number))
      }
    }
    arrivals.sort { $0.at < $1.at }
    var next = 0
    var samplesLeft = 0
    for tick in 0..<(count * 2) {
      let now = start + .milliseconds(Int64(tick) * 10 + 3)
      while next < arrivals.count, arrivals[next].at <= now {
        let number = Int64(arrivals[next].number)
        run.buffer.insert(
          AudioPacket(
            bytes: [0x78], rtpTimestamp: 1_000 + number * 960, index: PacketIndex(70_000 + number),
            samples: 960, arrivedAt: arrivals[next].at))
        next += 1
      }
      while samplesLeft < 480 {
        switch run.buffer.pull(wasQuiet: wasQuiet, at: now) {
        case .decode(let packet):
          run.played.append(packet.index.value - 70_000)
          run.delays.append(
            now - start - .milliseconds((packet.index.value - 70_000) * 20))
          samplesLeft += packet.samples
        case .recover(_, let samples):
          run.recovered += 1
          samplesLeft += samples
        case .conceal(let samples):
          run.concealed += samples / 480
          samplesLeft += samples
        case .silence(let samples):
          run.silent += 1
          samplesLeft += samples
        }
      }
      samplesLeft -= 480
    }
    return run
  }

  @Test func `on a clean path every packet plays, within one device period of its arrival`() {
    var run = run(500) { _ in .milliseconds(30) }
    // Handed over in steps of 10 ms, which is no jitter of the network's.
    #expect(run.buffer.takeStatistics().target <= .milliseconds(4))
    #expect(run.played == Array(0..<Int64(run.played.count)))
    #expect(run.played.count >= 496)
    #expect(run.concealed == 0)
    #expect(run.delays.percentile(1) <= .milliseconds(30 + 15))
  }

  @Test func `packets out of order play in order`() {
    let run = run(300) { $0 % 10 == 3 ? .milliseconds(65) : .milliseconds(30) }
    #expect(run.played == run.played.sorted())
    #expect(Set(run.played).count == run.played.count)
    #expect(run.played.count >= 280)
  }

  @Test func `the delay follows jitter, so that few packets come too late`() {
    var random = SeededRandom(seed: 3)
    let run = run(1_500) { _ in .milliseconds(20) + .milliseconds(40) * random.unit() }
    #expect(run.played.suffix(1_000).count { $0 >= 0 } == 1_000)
    #expect(run.concealed < 40)
    #expect(run.delays.suffix(500).percentile(0.5) <= .milliseconds(20 + 40 + 25))
  }

  @Test func `a lost packet is recovered or hidden once, and the delay does not grow`() {
    let run = run(1_000) { $0 % 20 == 7 ? nil : .milliseconds(30) }
    #expect(run.played.count >= 1_000 - 50 - 5)
    #expect(run.concealed + run.recovered * 2 >= 50)
    #expect(run.recovered > 25, "once losses are known, the next packet is waited for")
    #expect(run.delays.suffix(200).percentile(0.95) <= .milliseconds(30 + 45))
  }

  @Test func `after jitter the delay shrinks again where it is quiet`() {
    var random = SeededRandom(seed: 4)
    let run = run(3_000, wasQuiet: true) { number in
      .milliseconds(30) + (number < 500 ? .milliseconds(80) * random.unit() : .zero)
    }
    #expect(run.delays[480] > .milliseconds(90))
    #expect(run.delays.suffix(100).percentile(1) <= .milliseconds(60))
  }

  @Test func `packets that come after they were concealed are left out, not played late`() {
    let run = run(600) { (200..<204).contains($0) ? .milliseconds(150) : .milliseconds(30) }
    let after = run.played.filter { $0 >= 210 }
    #expect(after.elementsEqual(Array(210..<210 + Int64(after.count))))
    #expect(after.count >= 385)
    #expect(run.delays.suffix(300).percentile(1) <= .milliseconds(60))
  }

  @Test func `a sender that stops is silence after a tenth of a second, and is heard again`() {
    let run = run(600) { (200..<400).contains($0) ? nil : .milliseconds(30) }
    #expect(run.silent > 300)
    #expect(run.concealed <= 12)
    #expect(run.played.last.map { $0 >= 596 } == true)
    #expect(run.delays.suffix(50).percentile(1) <= .milliseconds(80))
  }

  @Test func `sound that is asked to wait waits`() {
    let run = run(1_000, hold: .milliseconds(60)) { _ in .milliseconds(30) }
    #expect(run.delays.suffix(100).percentile(0.5) >= .milliseconds(30 + 50))
    #expect(run.delays.suffix(100).percentile(0.5) <= .milliseconds(30 + 85))
  }

  @Test func `a flood of packets keeps memory and delay bounded`() {
    var buffer = AudioJitterBuffer()
    let now = Instant(nanoseconds: 1_000_000_000)
    for number in 0..<10_000 {
      buffer.insert(
        AudioPacket(
          bytes: [UInt8](repeating: 1, count: 1_000), rtpTimestamp: Int64(number) * 960,
          index: PacketIndex(Int64(number)), samples: 960, arrivedAt: now))
    }
    var played: [Int64] = []
    for tick in 0..<200 {
      if case .decode(let packet) = buffer.pull(
        wasQuiet: false, at: now + .milliseconds(Int64(tick) * 20))
      {
        played.append(packet.index.value)
      }
    }
    #expect(played.count <= 64)
    #expect(played.first.map { $0 >= 9_900 } == true)
  }

  @Test func `statistics tell what was concealed`() {
    var run = run(500) { $0 % 10 == 7 ? nil : .milliseconds(30) }
    let statistics = run.buffer.takeStatistics()
    #expect(statistics.concealedPercent > 0)
    #expect(statistics.concealedPercent < 12)
    #expect(statistics.delay >= .zero)
  }
}
