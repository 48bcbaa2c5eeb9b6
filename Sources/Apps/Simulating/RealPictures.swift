import Judging
package import Media
package import Simulation
import Units
import VideoCodec

extension RealPictures {
  /// The pictures that `p2pcall-bench` feeds to the real programs over an emulated link: five seconds of
  /// the test pattern over and over, with a hard cut where they begin anew, and VP8.
  package static func pattern(_ size: PictureSize) -> RealPictures {
    let pattern = PatternPicture(size: size)
    return RealPictures(
      picture: { number, at in
        // Half a second: outside the flash.
        let scene = pattern.picture(
          number: UInt32(number % (5 * 30)), at: .zero + .milliseconds(500))
        return PaintedClock(number: UInt32(number), at: at).stamp(onto: scene)
      },
      makeEncoder: { () throws(MediaError) in
        let encoder = VP8Encoder(processors: 1)
        // By the clock it would differ from run to run.
        try encoder.hold(cpuUsed: cpuUsed)
        return encoder
      },
      makeDecoder: { () throws(MediaError) in try VP8Decoder() },
      quality: { peakSignalToNoise($0, against: $1) })
  }

  /// What calls settle on at 720p.
  private static let cpuUsed = -10
}
