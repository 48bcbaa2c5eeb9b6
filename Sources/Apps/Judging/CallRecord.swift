package import Media
package import Units

/// Everything that was seen from outside of one call between real programs.
package struct CallRecord: Sendable {
  package var parties: [PartyRecord]
  package var size: PictureSize
  /// `udp-direct` or `tcp-direct`.
  package var path: String

  package init(parties: [PartyRecord], size: PictureSize, path: String) {
    self.parties = parties
    self.size = size
    self.path = path
  }

  /// Looks for the chirps in every sound that was not searched yet, which takes a while.
  package mutating func findChirps() {
    for index in parties.indices where parties[index].marks == nil {
      parties[index].marks = parties[index].sound.map { ChirpDetector().marks(in: $0.samples) }
    }
  }
}

/// What one program was given and what came out of it.
package struct PartyRecord: Sendable {
  package var name: String
  /// Which of four chirp voices its sound speaks with.
  package var voice: Int
  package var startedAt: Instant
  package var sent: [SentFrame] = []
  /// When the first and after the last sound was handed over.
  package var soundFrom: Instant?
  package var soundTo: Instant?
  package var chatSent: [String] = []
  /// What came out, by the sender's name.
  package var views: [View] = []
  package var sound: SoundLog?
  /// The chirps in `sound` once they were looked for.
  package var marks: [ChirpMark]?
  package var events = EventLog()
  package var exitCode: Int?
  package var endedAt: Instant = .distantFuture

  package struct View: Sendable {
    package var from: String
    package var seen: [SeenFrame]
    /// Luma PSNR of sampled pictures against their originals, and of the encoder run here over the
    /// same pictures at the same bytes; `nil` where it was not measured.
    package var quality: Double?
    package var localQuality: Double?

    package init(from name: String, seen: [SeenFrame]) {
      from = name
      self.seen = seen
    }
  }

  package init(name: String, voice: Int, startedAt: Instant) {
    self.name = name
    self.voice = voice
    self.startedAt = startedAt
  }
}

/// The limits of issue 2's "Done when".
package struct CallLimits: Sendable {
  package var firstFrame = Interval.milliseconds(500)
  package var deliveredPercent = 98.0
  package var heardPercent = 98.0
  package var skew = Interval.milliseconds(40)
  /// dB below the local encoder.
  package var qualityLoss = 0.5
  /// Shares of sound and picture that a group must not be held to are left out by the caller.
  package init() {}
}
