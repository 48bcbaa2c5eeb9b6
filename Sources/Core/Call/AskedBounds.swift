import Units

/// What a peer asks us for, taken up no oftener than is good for everybody: a change makes a key frame,
/// and perhaps another encoding, and the peer decides when it asks. The newest counts.
struct AskedBounds {
  /// What is sent to it at most.
  private(set) var bounds = ReceiveBounds()
  /// What it asked for since, and may not have yet.
  private var wanted: ReceiveBounds?
  private var changes: TokenBucket

  /// Somebody who tries sizes gets them at once.
  private static let burst = 4.0
  private static let perSecond = 0.5

  init(at now: Instant) {
    changes = TokenBucket(rate: Self.perSecond, burst: Self.burst, at: now)
  }

  mutating func ask(_ bounds: ReceiveBounds) { wanted = bounds == self.bounds ? nil : bounds }

  /// When what was asked for is taken up; `nil` where nothing waits.
  var dueAt: Instant? { wanted.map { _ in changes.nextAt } }

  /// True where `bounds` changed.
  mutating func settle(at now: Instant) -> Bool {
    guard let wanted, changes.take(at: now) else { return false }
    bounds = wanted
    self.wanted = nil
    return true
  }
}
