package import Media
import Sending
package import Units

/// What the picture thread encodes from now on; `nil` where it is used means: encode nothing.
package typealias VideoOrder = VideoEncoderSettings

/// What the microphone's thread encodes from now on.
package struct AudioOrder: Hashable, Sendable {
  package var bitrate: Bitrate
  package var expectedLossPercent: Int
  /// Of one packet: 10 or 20 ms.
  package var packet: Interval

  package init(bitrate: Bitrate, expectedLossPercent: Int, packet: Interval) {
    self.bitrate = bitrate
    self.expectedLossPercent = expectedLossPercent
    self.packet = packet
  }
}

/// Turns what each peer's path carries into one standing order for the encoder.
///
/// A picture is encoded once for all peers, at the rate that the slowest of those carries which
/// still carry `leastShare` of the fastest: one path that collapses must not take the others'
/// picture with it (its own sender drops whole frames and recovers by key frames).
struct EncodingPlan: Sendable {
  private var order: VideoOrder?
  private var hasShortPackets = false

  private static let leastShare = 0.25
  private static let audioBitrate = Bitrate.kilobits(32)
  /// Sound in packets of 10 ms is heard 10 ms sooner and costs some 32 kbit/s of headers more: worth
  /// it where every path carries much more than that and loses little (a lost packet of 20 ms is
  /// repaired by the redundancy in the next one just as well). The way back has other limits, so
  /// that it does not swing.
  private static let shortPackets = (from: Bitrate.kilobits(600), atMostLoss: 1)
  private static let longPackets = (below: Bitrate.kilobits(400), aboveLoss: 3)

  /// The order for the peers that get this advice, if it differs from the standing one enough to
  /// matter (3 % of the rate); `.some(nil)` means: stop encoding.
  mutating func newOrder(for advice: [EncoderAdvice]) -> VideoOrder?? {
    guard let fastest = advice.map(\.bitrate).max() else {
      defer { order = nil }
      return order == nil ? nil : .some(nil)
    }
    let carrying = advice.filter { $0.bitrate >= fastest * Self.leastShare && $0.size != nil }
    guard let slowest = carrying.min(by: { $0.bitrate < $1.bitrate }), let size = slowest.size
    else { return nil }
    let wanted = VideoOrder(
      size: size, framesPerSecond: slowest.framesPerSecond, bitrate: slowest.bitrate)
    if let order, order.size == wanted.size, order.framesPerSecond == wanted.framesPerSecond {
      let change = abs(wanted.bitrate.bitsPerSecond - order.bitrate.bitsPerSecond)
      guard Double(change) > 0.03 * Double(order.bitrate.bitsPerSecond) else { return nil }
    }
    order = wanted
    return .some(wanted)
  }

  /// What the microphone's thread should make for peers with this advice and this loss in percent.
  mutating func audioOrder(for advice: [EncoderAdvice], lossPercent: Int) -> AudioOrder {
    let slowest = advice.map(\.bitrate).min() ?? .zero
    if slowest < Self.longPackets.below || lossPercent > Self.longPackets.aboveLoss {
      hasShortPackets = false
    } else if slowest >= Self.shortPackets.from, lossPercent <= Self.shortPackets.atMostLoss {
      hasShortPackets = true
    }
    return AudioOrder(
      bitrate: Self.audioBitrate, expectedLossPercent: lossPercent,
      packet: .milliseconds(hasShortPackets ? 10 : 20))
  }
}
