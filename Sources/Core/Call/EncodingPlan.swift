package import Media
import Sending
import Units

/// What the picture thread encodes from now on; `nil` where it is used means: encode nothing.
package typealias VideoOrder = VideoEncoderSettings

/// Turns what each peer's path carries into standing orders for the encoders.
///
/// A rendition is encoded once for all who get it, at the rate that the slowest of them carries. Of
/// the main one that is the slowest which still carries `leastShare` of the fastest: whose path has
/// just collapsed is about to get the small one, and must not take the others' picture with it.
struct EncodingPlan: Sendable {
  /// By rendition.
  private var orders: [VideoOrder?] = Rendition.allCases.map { _ in nil }

  private static let leastShare = 0.25
  /// Of each side of the source, in the small rendition.
  private static let smallScale = 0.5

  /// The orders that differ from the standing ones enough to matter (3 % of the rate), for the peers
  /// that get either rendition of a source of this size; `nil` as an order means: stop encoding.
  mutating func newOrders(
    main: [EncoderAdvice], small: [EncoderAdvice] = [], of source: PictureSize?
  ) -> [(rendition: Rendition, order: VideoOrder?)] {
    var wanted = [
      order(for: main, leastShare: Self.leastShare, standing: orders[0]),
      order(for: small, leastShare: 0, standing: orders[1]),
    ]
    if let source, let size = wanted[1]?.size {
      wanted[1]?.size = size.shrunk(into: source.scaled(by: Self.smallScale))
    }
    let works = wanted.map { $0.map { Double($0.size.pixels) * $0.framesPerSecond } ?? 0 }
    let work = works[0] + works[1]
    for index in 0..<works.count { wanted[index]?.timeShare = works[index] / work }
    return Rendition.allCases.compactMap { rendition in
      let index = rendition.rawValue
      guard Self.differs(wanted[index], from: orders[index]) else { return nil }
      orders[index] = wanted[index]
      return (rendition, wanted[index])
    }
  }

  private func order(
    for advice: [EncoderAdvice], leastShare: Double, standing: VideoOrder?
  ) -> VideoOrder? {
    guard let fastest = advice.map(\.bitrate).max() else { return nil }
    let carrying = advice.filter { $0.bitrate >= fastest * leastShare && $0.size != nil }
    guard let slowest = carrying.min(by: { $0.bitrate < $1.bitrate }), let size = slowest.size
    else { return standing }
    return VideoOrder(
      size: size, framesPerSecond: slowest.framesPerSecond, bitrate: slowest.bitrate)
  }

  private static func differs(_ wanted: VideoOrder?, from standing: VideoOrder?) -> Bool {
    guard let wanted, var standing else { return wanted != standing }
    let change = abs(wanted.bitrate.bitsPerSecond - standing.bitrate.bitsPerSecond)
    if Double(change) > 0.03 * Double(standing.bitrate.bitsPerSecond) { return true }
    standing.bitrate = wanted.bitrate
    return wanted != standing
  }
}
