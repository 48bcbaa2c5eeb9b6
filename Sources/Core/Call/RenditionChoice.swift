import Units
import Wire

/// Which peers get the small rendition.
///
/// Everybody who gets a rendition gets it at the rate of the slowest of them. Of all ways to divide
/// the peers in two by their rates, the best is the one with the largest product of what each gets:
/// to give one peer half as much is worth it where it gives another more than twice as much. While
/// the slowest carries `enough` of the fastest, one rendition serves all.
struct RenditionChoice: Sendable {
  struct Peer: Hashable, Sendable {
    var session: SessionID
    /// What its path carries of pictures, and no more than it has use for.
    var bitrate: Bitrate
  }

  /// Sorted.
  private(set) var small: [SessionID] = []
  /// Since when another division has been better, and whether it takes somebody down.
  private var wish: (isDown: Bool, since: Instant)?

  /// Of the fastest rate: below the first there are two renditions, above the second one, so that a
  /// rate that sways does not make them come and go.
  private static let enough = (whileOne: 0.5, whileTwo: 0.7)
  /// How many times larger the product must be for another division.
  private static let gain = 1.35
  /// Every change costs whoever changes a key frame: a path that has just joined, or recovered, gets
  /// some time to show what it carries.
  private static let downPatience = Interval.milliseconds(500)
  private static let upPatience = Interval.milliseconds(3_000)

  /// Another division may come about by itself, as time passes.
  var isUndecided: Bool { wish != nil }

  mutating func update(_ peers: [Peer], at now: Instant) {
    if !small.isEmpty {
      small.removeAll { session in !peers.contains { $0.session == session } }
      if small.count == peers.count { small = [] }
    }
    let best = peers.count > 1 ? bestDivision(of: peers) : []
    guard best != small else {
      wish = nil
      return
    }
    let isDown = best.contains { !small.contains($0) }
    if wish?.isDown != isDown { wish = (isDown, now) }
    guard let wish, now - wish.since >= (isDown ? Self.downPatience : Self.upPatience) else {
      return
    }
    small = best
    self.wish = nil
  }

  private func bestDivision(of peers: [Peer]) -> [SessionID] {
    let sorted = peers.sorted {
      $0.bitrate == $1.bitrate ? $0.session < $1.session : $0.bitrate > $1.bitrate
    }
    let rates = sorted.map { Double(max(1, $0.bitrate.bitsPerSecond)) }
    let enough = small.isEmpty ? Self.enough.whileOne : Self.enough.whileTwo
    guard let last = rates.last, last < rates[0] * enough else { return [] }
    var best = (count: 1, worth: Self.worth(rates[0], 1, last, rates.count))
    for count in 1..<rates.count {
      let worth = Self.worth(rates[count - 1], count, last, rates.count)
      if worth > best.worth { best = (count, worth) }
    }
    if let standing = standingWorth(of: peers), best.worth < standing * Self.gain { return small }
    return sorted[best.count...].map(\.session).sorted()
  }

  /// Of the division as it is; `nil` where there is none.
  private func standingWorth(of peers: [Peer]) -> Double? {
    guard !small.isEmpty else { return nil }
    var least = (main: Double.infinity, small: Double.infinity)
    for peer in peers {
      let rate = Double(max(1, peer.bitrate.bitsPerSecond))
      if small.contains(peer.session) {
        least.small = min(least.small, rate)
      } else {
        least.main = min(least.main, rate)
      }
    }
    return Self.worth(least.main, peers.count - small.count, least.small, peers.count)
  }

  /// The product of all rates, in Mbit/s so that it stays in range.
  private static func worth(_ main: Double, _ mainCount: Int, _ small: Double, _ all: Int) -> Double
  {
    var product = 1.0
    for _ in 0..<mainCount { product *= main / 1e6 }
    for _ in mainCount..<all { product *= small / 1e6 }
    return product
  }
}
