package import Wire

/// Which of a peer's proved links frames are sent on (docs/protocol.md, "Peer link"): the first
/// proved one at once, then the one that the lower session chooses and tells by SELECT.
package struct PathSelection: Sendable {
  /// A proved link.
  package struct Option: Sendable {
    package var id: LinkID
    /// 0 udp-direct, 1 tcp-direct, 2 udp-relay, 3 tcp-relay: the lowest is preferred.
    package var rank: Int
    package var isAlive: Bool
    /// Alive, and not only just back from an outage.
    package var isSteady: Bool

    package init(id: LinkID, rank: Int, isAlive: Bool, isSteady: Bool) {
      self.id = id
      self.rank = rank
      self.isAlive = isAlive
      self.isSteady = isSteady
    }
  }

  /// Whether this is the lower session.
  private let decides: Bool
  /// Of the last SELECT that was sent or obeyed.
  private var number: UInt32 = 0
  /// The link of that SELECT.
  private var chosen: LinkID?
  /// The link on which frames go.
  package private(set) var sending: LinkID?

  package init(decides: Bool) { self.decides = decides }

  /// Looks at the proved links again, in the order in which they were proved. Returns the SELECT
  /// to send on `sending`, if there is one.
  package mutating func update(_ options: [Option]) -> UInt32? {
    if !options.contains(where: { $0.id == chosen }) { chosen = nil }
    if !options.contains(where: { $0.id == sending }) { sending = nil }
    guard decides else {
      follow(options)
      return nil
    }
    guard let best = choice(options), best != chosen else { return nil }
    chosen = best
    sending = best
    number += 1
    return number
  }

  /// What the lower session wants: the best rank, but no change for a link of the same rank.
  private func choice(_ options: [Option]) -> LinkID? {
    let current = options.first { $0.id == chosen }
    let steady = Self.best(of: options, where: \.isSteady)
    if let current, current.isAlive {
      guard let steady, steady.rank < current.rank else { return current.id }
      return steady.id
    }
    let alive = steady ?? Self.best(of: options, where: \.isAlive)
    return alive?.id ?? chosen ?? options.first?.id
  }

  /// What the higher session does: it obeys, unless the chosen link is silent while another is not.
  private mutating func follow(_ options: [Option]) {
    if isAlive(chosen, in: options) {
      sending = chosen
      return
    }
    if isAlive(sending, in: options) { return }
    let alive = Self.best(of: options, where: \.isAlive)
    sending = alive?.id ?? sending ?? chosen ?? options.first?.id
  }

  private func isAlive(_ link: LinkID?, in options: [Option]) -> Bool {
    options.contains { $0.id == link && $0.isAlive }
  }

  /// The first of those with the best rank.
  private static func best(of options: [Option], where holds: (Option) -> Bool) -> Option? {
    var best: Option?
    for option in options where holds(option) {
      if let best, best.rank <= option.rank { continue }
      best = option
    }
    return best
  }

  /// SELECT came on a proved link. Only the lower session's are obeyed, the highest number wins.
  package mutating func take(_ select: Select, on id: LinkID) {
    guard !decides, select.number > number else { return }
    number = select.number
    chosen = id
  }
}
