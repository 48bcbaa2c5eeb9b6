package import Units

/// In which order a server's addresses are dialled, and when each joins those that are silent still: one
/// that swallows what is sent to it costs a moment and not the attempt (RFC 8305 §4, §5).
///
/// Those that stay silent are dialled again beside themselves: a lost SYN is repeated by the kernel after
/// 1, 3 and 7 s, and who loses one of seven loses all four once in 2 400 times.
package struct AddressRace: Sendable {
  /// Those that have not failed.
  private var addresses: [SocketAddress] = []
  private var untried: [SocketAddress] = []
  private var pauses = ArraySlice(Self.pauses)
  private var beginAt: Instant

  /// Between two beginnings, if none fails: as RFC 8305 §5 recommends.
  private static let delay = Interval.milliseconds(250)
  /// After the last of all, before they are dialled again.
  private static let pauses: [Interval] = [.milliseconds(500), .milliseconds(1_500), .seconds(3)]

  /// `addresses`: the preferred ones first. Families take turns, so that one that leads nowhere is
  /// left at once (§4).
  package init(_ addresses: [SocketAddress], at now: Instant) {
    let isV4First = addresses.first?.ip.isV4 ?? true
    let first = addresses.filter { $0.ip.isV4 == isV4First }
    let others = addresses.filter { $0.ip.isV4 != isV4First }
    for place in 0..<max(first.count, others.count) {
      if place < first.count { self.addresses.append(first[place]) }
      if place < others.count { self.addresses.append(others[place]) }
    }
    untried = self.addresses
    beginAt = now
  }

  /// The one to be dialled now.
  package mutating func next(at now: Instant) -> SocketAddress? {
    guard beginAt <= now else { return nil }
    if untried.isEmpty { untried = addresses }
    guard !untried.isEmpty else { return nil }
    let address = untried.removeFirst()
    if !untried.isEmpty {
      beginAt = now + Self.delay
    } else if let pause = pauses.popFirst() {
      beginAt = now + pause
    } else {
      beginAt = .distantFuture
    }
    return address
  }

  /// One that was dialled has failed: it is not dialled again, and the next one need not wait.
  package mutating func failed(_ address: SocketAddress, at now: Instant) {
    addresses.removeAll { $0 == address }
    untried.removeAll { $0 == address }
    if !untried.isEmpty { beginAt = now }
  }

  /// All have been dialled, as often as they will be.
  package var isOver: Bool {
    untried.isEmpty && (addresses.isEmpty || beginAt == .distantFuture)
  }

  package var nextDeadline: Deadline? {
    isOver ? nil : Deadline("server address", at: beginAt)
  }
}
