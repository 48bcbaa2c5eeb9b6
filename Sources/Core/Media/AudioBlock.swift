package import Units

/// The one sound format inside p2pcall: 48 kHz, mono, signed 16 bit.
package enum AudioFormat {
  package static let sampleRate = 48_000
  /// Samples in 10 ms: what sources and sinks exchange.
  package static let blockSamples = 480
  package static let blockDuration = Interval.milliseconds(10)

  package static func samples(in duration: Interval) -> Int {
    Int((duration.seconds * Double(sampleRate)).rounded())
  }
}

/// 10 ms of sound: `AudioFormat.blockSamples` samples.
package struct AudioBlock: Sendable {
  package var samples: [Int16]
  /// When the first sample was captured.
  package var capturedAt: Instant

  package init(samples: [Int16], capturedAt: Instant) {
    self.samples = samples
    self.capturedAt = capturedAt
  }

  package static func silence(at instant: Instant) -> AudioBlock {
    AudioBlock(
      samples: [Int16](repeating: 0, count: AudioFormat.blockSamples), capturedAt: instant)
  }
}
