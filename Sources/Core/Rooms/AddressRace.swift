package import Units

/// In which order a server's addresses are dialled, and when each joins those that are silent still: one
/// that swallows what is sent to it costs a moment and not the attempt (RFC 8305 §4, §5).
package struct AddressRace: Sendable {
  private var untried: [SocketAddress]
  private var beginAt: Instant

  /// Between two beginnings, if none fails: as RFC 8305 §5 recommends.
  private static let delay = Interval.milliseconds(250)

  /// `addresses`: the preferred ones first. Families take turns, so that one that leads nowhere is
  /// left at once (§4).
  package init(_ addresses: [SocketAddress], at now: Instant) {
    let isV4First = addresses.first?.ip.isV4 ?? true
    let first = addresses.filter { $0.ip.isV4 == isV4First }
    let others = addresses.filter { $0.ip.isV4 != isV4First }
    untried = []
    for place in 0..<max(first.count, others.count) {
      if place < first.count { untried.append(first[place]) }
      if place < others.count { untried.append(others[place]) }
    }
    beginAt = now
  }

  /// The one to be dialled now.
  package mutating func next(at now: Instant) -> SocketAddress? {
    guard !untried.isEmpty, beginAt <= now else { return nil }
    beginAt = now + Self.delay
    return untried.removeFirst()
  }

  /// One that was dialled has failed: the next need not wait.
  package mutating func failed(at now: Instant) { beginAt = now }

  /// All have been dialled.
  package var isOver: Bool { untried.isEmpty }

  package var nextDeadline: Deadline? {
    untried.isEmpty ? nil : Deadline("server address", at: beginAt)
  }
}
