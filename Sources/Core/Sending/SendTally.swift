import Media
import Units

/// Counts what is sent between two looks at the statistics.
struct SendTally {
  private var began: Instant?
  private var audio = ByteCount.zero
  private var repair = ByteCount.zero
  private var video = ByteCount.zero
  private var frames = 0
  private var size: PictureSize?

  mutating func count(_ packet: Pacer.Packet) {
    switch packet.medium {
    case .audio: audio += packet.size
    case .repair, .parity: repair += packet.size
    case .video: video += packet.size
    }
  }

  mutating func countFrame(_ frame: EncodedVideoFrame) {
    frames += 1
    size = frame.size
  }

  mutating func take(at now: Instant) -> SendStatistics {
    var statistics = SendStatistics()
    if let began {
      let elapsed = now - began
      statistics.audio = Bitrate(of: audio, in: elapsed)
      statistics.repair = Bitrate(of: repair, in: elapsed)
      statistics.video = Bitrate(of: video, in: elapsed)
      statistics.rate = Bitrate(of: audio + repair + video, in: elapsed)
      statistics.framesPerSecond =
        elapsed > .zero ? (Double(frames) / elapsed.seconds) : 0
    }
    statistics.size = size
    let kept = size
    self = SendTally()
    size = kept
    began = now
    return statistics
  }
}
