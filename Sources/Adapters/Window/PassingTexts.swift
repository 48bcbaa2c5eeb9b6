package import Units

/// Texts that lie over the pictures for some seconds and fade: chat lines of others while the
/// panel is closed, and notices. It remembers when each was first seen.
package struct PassingTexts {
  package struct Passing: Hashable, Sendable {
    /// Whose line it is; `nil` for notices.
    package var peer: String?
    package var text: String
    package var isWarning: Bool
    fileprivate var endsAt: Instant

    /// 1, and falling to 0 in the last moments.
    package func opacity(at now: Instant) -> Double {
      min(max((endsAt - now).milliseconds / PassingTexts.fading.milliseconds, 0), 1)
    }
  }

  /// Oldest first.
  package private(set) var lines: [Passing] = []
  package private(set) var notices: [Passing] = []
  /// Lines of others that the last `update` found.
  package private(set) var arrivedLines = 0
  private var lastLine: String?
  private var lastNotice = Int.min

  private static let lineDuration = Interval.milliseconds(8_000)
  private static let noticeDuration = Interval.milliseconds(7_000)
  private static let warningDuration = Interval.milliseconds(14_000)
  private static let fading = Interval.milliseconds(500)
  private static let limit = 8

  package init() {}

  package mutating func update(_ state: WindowState, isChatOpen: Bool, at now: Instant) {
    let known = state.chat.lastIndex { $0.id == lastLine }.map { $0 + 1 } ?? 0
    let arrived = state.chat[known...].filter { $0.author != nil }
    arrivedLines = arrived.count
    lastLine = state.chat.last?.id ?? lastLine
    for line in arrived {
      lines.append(
        Passing(
          peer: line.peer, text: line.text, isWarning: false, endsAt: now + Self.lineDuration))
    }
    for notice in state.notices where notice.id > lastNotice {
      let duration = notice.isWarning ? Self.warningDuration : Self.noticeDuration
      notices.append(
        Passing(text: notice.text, isWarning: notice.isWarning, endsAt: now + duration))
      lastNotice = notice.id
    }
    lines = isChatOpen ? [] : lines.filter { $0.endsAt > now }.suffix(Self.limit)
    notices = notices.filter { $0.endsAt > now }.suffix(Self.limit)
  }

  /// When the picture of these texts changes next: soon while one fades.
  package func nextChange(after now: Instant) -> Instant? {
    (lines + notices).map { passing in
      let fades = passing.endsAt - Self.fading
      return now < fades ? fades : now + .milliseconds(33)
    }.min()
  }
}
