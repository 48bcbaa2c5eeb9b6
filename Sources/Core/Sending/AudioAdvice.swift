import Media
package import Units
import Wire

/// What the path means for the sound encoder.
package struct AudioAdvice: Hashable, Sendable {
  /// In coarse steps: 0…50.
  package var lossPercent: Int
  /// Of earlier packets, that each packet is to carry.
  package var copies: Int
  /// What sound may take of the path, copies and packet overhead included.
  package var room: Bitrate

  package init(lossPercent: Int, copies: Int, room: Bitrate) {
    self.lossPercent = lossPercent
    self.copies = copies
    self.room = room
  }

  private static let steps = [0.0, 1, 3, 7, 15, 25, 40]
  private static let told = [0, 3, 5, 10, 20, 30, 50]

  /// `loss`: 0…1.
  init(loss: Double, copies: Int, room: Bitrate) {
    let step = Self.steps.lastIndex { $0 <= loss * 100 } ?? 0
    self.init(lossPercent: Self.told[step], copies: copies, room: room)
  }

  /// Too little has changed to be told.
  func isNear(_ other: AudioAdvice) -> Bool {
    let change = abs((room - other.room).bitsPerSecond)
    return lossPercent == other.lossPercent && copies == other.copies
      && change * 20 <= room.bitsPerSecond
  }
}

/// What sound may take of a path: first in line, but never so much that nothing is left to be seen.
package struct SoundShare {
  package let rate: Bitrate
  /// Of the target.
  private static let part = 0.46
  /// More is of no use to it.
  private static let most = Bitrate.kilobits(200)

  package init(of target: Bitrate) { rate = min(target * Self.part, Self.most) }

  /// What packets of this length and Opus rate take with so many copies.
  package static func cost(
    _ packet: Interval, _ bitrate: Bitrate, copies: Int,
    overhead: ByteCount = SendingConfiguration().overhead
  ) -> Bitrate {
    let head =
      RTPPacket.headerCount + overhead.bytes
      + (copies > 0
        ? 1 + (copies < 3 ? copies : AudioRedundancy.reachLimit) * RedundantAudio.copyHeaderCount
        : 0)
    return Bitrate(of: ByteCount(head), in: packet) + bitrate * Double(1 + copies)
  }

  /// How many copies of packets like this one fit.
  func packetRoom(_ frame: EncodedAudioFrame, overhead: ByteCount) -> Int {
    let length = Interval.seconds(Double(frame.samples) / Double(AudioFormat.sampleRate))
    let head = RTPPacket.headerCount + overhead.bytes + 1
    let left = rate.bytes(in: length).bytes - head - frame.bytes.count
    return max(0, left / (frame.bytes.count + RedundantAudio.copyHeaderCount))
  }
}
