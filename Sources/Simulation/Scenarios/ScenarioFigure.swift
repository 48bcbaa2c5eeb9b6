/// What a run is measured by. Of several media flows the worst counts.
package enum ScenarioFigure: String, Hashable, Sendable, CaseIterable {
  /// 0…1: wire bytes that passed of those that could, while a flow was there to send.
  case utilisation
  /// Capture to decoded picture, ms.
  case frameP50
  case frameP95
  case frameP99
  case frameMax
  /// How old the newest decoded picture is at any instant, so that outages and lost pictures count, 95th
  /// percentile, ms; the same for senders that know when a recorded link will deliver
  /// (`OmniscientSender`), of 30 pictures a second and of packets; and the first in parts of the second.
  case ageP95
  case omniscientPictures
  case omniscientPackets
  case timesOmniscient
  /// Capture to screen, which waits for the sound, ms.
  case shownP50
  case shownP95
  /// Times longer than 150 ms without a new picture on the screen.
  case freezes
  /// The longest of them, ms.
  case longestFreeze
  /// 0…1: pictures shown of those that the camera had.
  case delivered
  /// 0…1: sound concealed or missing.
  case concealed
  /// The longest of it in one piece, ms.
  case soundGap
  /// Wait at the bottleneck, in the direction of the media, ms.
  case queueP50
  case queueP95
  /// Of the media flows' rates (Jain): 1 is the same for all.
  case jain
  /// 0…1: what TCP got of all that arrived.
  case tcpShare
  /// Encoded pictures that were decoded, kbit/s.
  case media
  /// Wire bytes beyond the encoded ones, in parts of these.
  case overhead
  /// Of real pictures alone: luma PSNR of those shown, mean, dB; encoded bytes in parts of those asked
  /// for; and frames but for key frames, in shares of the rate: 95th percentile and the largest.
  case quality
  case made
  case frameSizeP95
  case frameSizeMax
  /// After shocks of each kind, ms; the slowest.
  case afterDrop
  case afterRise
  case afterStall

  /// Whether more is worse.
  package var isCost: Bool {
    switch self {
    case .utilisation, .delivered, .jain, .media, .quality, .made: false
    default: true
    }
  }
}

/// Jain's index of rates that should be equal: 1…1/n; `nil` without any.
package func jainIndex(_ rates: [Double]) -> Double? {
  let sum = rates.reduce(0, +)
  let squares = rates.reduce(0) { $0 + $1 * $1 }
  return squares > 0 ? sum * sum / (Double(rates.count) * squares) : nil
}
