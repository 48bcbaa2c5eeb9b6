package import Media
package import Units

/// Sound that came out of a receiver: 48 kHz, mono, with the times at which its parts were read.
package struct SoundLog: Sendable {
  package private(set) var samples: [Int16] = []
  /// First sample and time of each part, in order.
  private var parts: [(first: Int, at: Instant)] = []

  package init() {}

  package mutating func append(_ part: [Int16], at instant: Instant) {
    guard !part.isEmpty else { return }
    parts.append((samples.count, instant))
    samples += part
  }

  /// When a sample was due to be heard: its part is played from the moment it was written.
  package func instant(of sample: Int) -> Instant? {
    guard sample >= 0, sample < samples.count else { return nil }
    var low = 0
    var high = parts.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if parts[middle].first <= sample { low = middle } else { high = middle }
    }
    return parts[low].at
      + .seconds(Double(sample - parts[low].first) / Double(AudioFormat.sampleRate))
  }

  /// Replaces samples, for sabotage.
  package mutating func mute(_ range: Range<Int>) {
    for index in range.clamped(to: 0..<samples.count) { samples[index] = 0 }
  }
  /// Moves all parts in time, for sabotage.
  package mutating func delay(by interval: Interval) {
    parts = parts.map { ($0.first, $0.at + interval) }
  }
}

/// What became of one sender's chirps at one receiver.
package struct ChirpFindings: Sendable {
  /// Seconds of the clock whose chirp was handed over in the window, and those heard.
  package var expected: [Int64] = []
  package var heard: [Int64] = []
  /// From the second to the chirp's first sample, beside `heard`.
  package var latencies: [Interval] = []

  package var heardPercent: Double {
    expected.isEmpty ? 0 : 100 * Double(heard.count) / Double(expected.count)
  }

  /// `marks` are those of `log`. A chirp belongs to the latest second of its shape that is not
  /// after it; shapes repeat after 8 seconds.
  package init(
    marks: [ChirpMark], log: SoundLog, voice: Int, from start: Instant, to end: Instant
  ) {
    let first = (start.nanoseconds + 999_999_999) / 1_000_000_000
    // The whole chirp, and a second for its way.
    let last = (end.nanoseconds - 1_050_000_000) / 1_000_000_000
    expected = first <= last ? Array(first...last) : []
    for second in expected {
      let shape = Chirp.shape(second: second, voice: voice)
      let instant = Instant(nanoseconds: second * 1_000_000_000)
      let latency = marks.lazy.filter { $0.shape == shape }
        .compactMap { log.instant(of: $0.start) }.map { $0 - instant }
        .first { $0 > .milliseconds(-20) && $0 < .seconds(2) }
      if let latency {
        heard.append(second)
        latencies.append(latency)
      }
    }
  }

  /// How much later sound comes than picture, for each heard second that has pictures around it.
  package func skews(against seen: [SeenFrame]) -> [Interval] {
    zip(heard, latencies).compactMap { second, latency in
      let instant = Instant(nanoseconds: second * 1_000_000_000)
      let around = seen.compactMap { frame -> Double? in
        guard let clock = frame.clock,
          (clock.instant - instant).magnitude < .milliseconds(500)
        else { return nil }
        return (frame.at - clock.instant).milliseconds
      }
      return percentile(50, of: around).map { latency - .seconds($0 / 1000) }
    }
  }
}
