import Receiving
import Testing
import Units

/// A packet every 20 ms into the buffer, 10 ms out of it at a time.
@Suite struct AudioJitterBufferTests {
  private struct Run {
    var buffer = AudioJitterBuffer()
    var played: [Int64] = []
    var recovered = 0
    var concealed = 0
    var silent = 0
    var shorter = 0
    var longer = 0
    /// From the instant at which a packet was sent to its playing.
    var delays: [Interval] = []
    var end = Instant.zero
  }

  /// By what sound is stretched here: 5 ms.
  private static let period = 240

  /// `arrival` tells when packet n, sent at n × 20 ms, comes; `nil` is lost. Each packet carries
  /// copies of the `reach` before it, or Opus' redundancy. The device's clock is `drift` times faster.
  private func run(
    _ count: Int, hold: Interval = .zero, reach: Int = 0, hasRedundancy: Bool = false,
    drift: Double = 0, arrival: (Int) -> Interval?
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
    var pending = 0
    var seen = Set<Int>()
    // A slower device would have nothing to play at the end.
    let ticks = count * 2 - Int(Double(count) * abs(drift) * 4)
    for tick in 0..<ticks {
      let now = start + .seconds(Double(tick) * 0.01 * (1 - drift)) + .milliseconds(3)
      while next < arrivals.count, arrivals[next].at <= now {
        let newest = arrivals[next].number
        for number in max(0, newest - reach)...newest where seen.insert(number).inserted {
          run.buffer.insert(
            AudioPacket(
              bytes: [0x78, hasRedundancy ? 0x40 : 0],
              rtpTimestamp: 1_000 + Int64(number) * 960,
              index: PacketIndex(70_000 + Int64(number)), samples: 960,
              arrivedAt: arrivals[next].at, distance: newest - number, reach: reach))
        }
        next += 1
      }
      while pending < 480 {
        switch run.buffer.pull(pending: pending, at: now) {
        case .decode(let packet, let pace):
          run.played.append(packet.index.value - 70_000)
          run.delays.append(
            now - start - .milliseconds((packet.index.value - 70_000) * 20)
              + .seconds(Double(pending) / 48_000))
          pending += packet.samples
          switch pace {
          case .asIs: break
          case .longer:
            run.longer += 1
            pending += Self.period
          case .shorter:
            run.shorter += 1
            pending -= Self.period
          }
        case .recover(_, let samples):
          run.recovered += 1
          pending += samples
        case .conceal(let samples):
          run.concealed += samples / 480
          pending += samples
        case .silence(let samples):
          run.silent += 1
          pending += samples
        }
      }
      pending -= 480
      run.end = now
    }
    return run
  }

  @Test func `on a clean path every packet plays, within one device period of its arrival`() {
    var run = run(500) { _ in .milliseconds(30) }
    // Handed over in steps of 10 ms, which is no jitter of the network's.
    #expect(run.buffer.takeStatistics(at: run.end).target <= .milliseconds(4))
    #expect(run.played == Array(0..<Int64(run.played.count)))
    #expect(run.played.count >= 496)
    #expect(run.concealed == 0)
    #expect(run.delays.percentile(1) <= .milliseconds(30 + 15))
    #expect(run.shorter + run.longer <= 2)
  }

  @Test func `packets out of order play in order`() {
    let run = run(300) { $0 % 10 == 3 ? .milliseconds(65) : .milliseconds(30) }
    #expect(run.played == run.played.sorted())
    #expect(Set(run.played).count == run.played.count)
    #expect(run.played.count >= 280)
  }

  @Test(arguments: [3, 4, 5] as [UInt64])
  func `the delay follows jitter, so that hardly any packet comes too late`(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    let run = run(3_000) { _ in .milliseconds(20) + .milliseconds(30) * random.unit() }
    #expect(run.played.suffix(1_000).count { $0 >= 0 } == 1_000)
    // In blocks of 10 ms: less than 0.3 %.
    #expect(run.concealed < 18)
    #expect(run.delays.suffix(500).percentile(0.5) <= .milliseconds(20 + 30 + 25))
  }

  @Test func `a lost packet is recovered or hidden once, and the delay does not grow`() {
    let run = run(1_000, hasRedundancy: true) { $0 % 20 == 7 ? nil : .milliseconds(30) }
    #expect(run.played.count >= 1_000 - 50 - 5)
    #expect(run.concealed + run.recovered * 2 >= 50)
    #expect(run.recovered > 45, "once losses are known, the next packet is waited for")
    #expect(run.delays.suffix(200).percentile(0.95) <= .milliseconds(30 + 45))
  }

  @Test func `a packet without redundancy is no cure for the one before it`() {
    let run = run(1_000) { $0 % 20 == 7 ? nil : .milliseconds(30) }
    #expect(run.recovered == 0)
    #expect(run.concealed >= 98)
    #expect(run.delays.suffix(200).percentile(0.95) <= .milliseconds(30 + 20))
  }

  @Test func `copies are waited for while packets are lost, and no longer`() {
    let run = run(3_000, reach: 3) {
      $0 >= 500 && $0 < 1_500 && $0 % 20 < 3 ? nil : .milliseconds(30)
    }
    // Three of twenty are lost in a row; only the first of all are not waited for.
    #expect(run.played.count >= 3_000 - 12)
    #expect(run.concealed <= 8, "\(run.concealed)")
    let quiet = run.delays[450..<490].max() ?? .zero
    let lossy = run.delays[1_000..<1_400].max() ?? .zero
    #expect(quiet <= .milliseconds(30 + 15))
    #expect(lossy >= .milliseconds(30 + 60))
    #expect(lossy <= .milliseconds(30 + 60 + 25))
    #expect(run.delays.suffix(100).percentile(1) <= .milliseconds(30 + 25))
  }

  @Test func `after jitter the delay shrinks again, and nothing is left out`() {
    var random = SeededRandom(seed: 4)
    let run = run(4_000) { number in
      .milliseconds(30) + (number < 500 ? .milliseconds(80) * random.unit() : .zero)
    }
    #expect(run.delays[480] > .milliseconds(90))
    #expect(run.delays.suffix(100).percentile(1) <= .milliseconds(60))
    #expect(run.shorter >= 10)
    #expect(run.played.suffix(3_000).elementsEqual(run.played.suffix(3_000).sorted()))
    #expect(run.played.count >= 3_990)
  }

  @Test func `of half a second that stood still the oldest is left out, not played late`() {
    let run = run(600) { .milliseconds(Int64(30 + ($0 < 200 ? 0 : max(0, 225 - $0)) * 20)) }
    #expect(run.played.count { (200..<214).contains($0) } == 0, "it was concealed")
    let after = zip(run.played, run.delays).filter { $0.0 >= 200 }
    let first = after.first?.0 ?? 0
    #expect(after.map { $0.0 } == (0..<Int64(after.count)).map { first + $0 }, "in order, and all")
    #expect(after.count >= 370)
    let worst = after.map { $0.1 }.max() ?? .zero
    #expect(worst <= .milliseconds(30 + 200 + 30), "\(worst)")
  }

  @Test func `what comes out of a queue one by one after an outage is not heard 300 ms late`() {
    let run = run(600) { number in
      guard (200..<300).contains(number) else { return .milliseconds(30) }
      // The last 400 ms of two seconds, at twice their speed.
      let late = (300 - number) * 20 + (number - 280) * 10
      return number < 280 ? nil : .milliseconds(Int64(30 + late))
    }
    let after = zip(run.played, run.delays).filter { $0.0 >= 200 }
    let worst = after.map { $0.1 }.max() ?? .zero
    #expect(worst <= .milliseconds(30 + 10 + 300 + 10), "\(worst)")
    #expect(after.count { $0.0 >= 300 } >= 270)
  }

  @Test func `a sender that stops is silence after a tenth of a second, and is heard again`() {
    let run = run(600) { (200..<400).contains($0) ? nil : .milliseconds(30) }
    #expect(run.silent > 300)
    #expect(run.concealed <= 12)
    #expect(run.played.last.map { $0 >= 596 } == true)
    // At once: not even one packet later than before.
    let first = run.played.firstIndex { $0 >= 400 } ?? 0
    #expect(run.played[first] == 400)
    #expect(run.delays[first] <= .milliseconds(30 + 25))
    #expect(run.delays.suffix(50).percentile(1) <= .milliseconds(80))
  }

  @Test func `sound that is asked to wait waits`() {
    let run = run(1_000, hold: .milliseconds(60)) { _ in .milliseconds(30) }
    #expect(run.delays.suffix(100).percentile(0.5) >= .milliseconds(30 + 50))
    #expect(run.delays.suffix(100).percentile(0.5) <= .milliseconds(30 + 85))
  }

  @Test(arguments: [-100e-6, 100e-6])
  func `an hour of clocks that drift apart conceals nothing and lets nothing pile up`(
    drift: Double
  ) {
    let run = run(180_000, drift: drift) { _ in .milliseconds(30) }
    #expect(run.concealed == 0)
    #expect(run.silent <= 6)
    #expect(run.played == Array(0..<Int64(run.played.count)))
    // 0.36 s in an hour, in steps of 5 ms.
    let steps = drift > 0 ? run.longer - run.shorter : run.shorter - run.longer
    #expect((60...85).contains(steps), "\(steps)")
    #expect(run.delays.percentile(1) <= .milliseconds(30 + 30))
  }

  @Test func `a single packet of seconds ago is not played, and moves nothing`() {
    let run = run(600) { $0 == 300 ? .milliseconds(4_000) : .milliseconds(30) }
    #expect(!run.played.contains(300))
    #expect(run.played.count >= 594)
    #expect(run.delays.suffix(50).percentile(1) <= .milliseconds(30 + 25))
  }

  @Test func `a path that becomes seconds longer is followed`() {
    let run = run(1_200) { $0 < 300 ? .milliseconds(30) : .milliseconds(3_030) }
    #expect(run.played.count { $0 >= 300 } >= 700)
  }

  @Test func `a path that becomes 400 ms longer is followed within a second, and back within two`()
  {
    var random = SeededRandom(seed: 6)
    let run = run(1_600) { number in
      // What is under way when the path is short again arrives before what follows it.
      if (900..<920).contains(number) { return .milliseconds(Int64(450 - (number - 899) * 20)) }
      let path = (300..<900).contains(number) ? 430 : 30
      return .milliseconds(Int64(path)) + .milliseconds(20) * random.unit()
    }
    func worst(_ numbers: Range<Int64>) -> Interval {
      zip(run.played, run.delays).filter { numbers.contains($0.0) }.map(\.1).max() ?? .zero
    }
    #expect(run.played.count { (350..<875).contains($0) } == 525)
    #expect(worst(350..<900) <= .milliseconds(430 + 20 + 50), "\(worst(350..<900))")
    #expect(worst(1_000..<1_600) <= .milliseconds(30 + 20 + 50), "\(worst(1_000..<1_600))")
    // The step itself is heard, and once more what is too little after it.
    #expect(run.concealed <= 20, "\(run.concealed)")
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
      if case .decode(let packet, _) = buffer.pull(
        pending: 0, at: now + .milliseconds(Int64(tick) * 20))
      {
        played.append(packet.index.value)
      }
    }
    #expect(played.count <= 64)
    #expect(played.first.map { $0 >= 9_900 } == true)
  }

  @Test func `statistics tell what was concealed`() {
    var run = run(500) { $0 % 10 == 7 ? nil : .milliseconds(30) }
    let statistics = run.buffer.takeStatistics(at: run.end)
    #expect(statistics.concealedPercent > 0)
    #expect(statistics.concealedPercent < 12)
    #expect(statistics.delay >= .zero)
  }
}
