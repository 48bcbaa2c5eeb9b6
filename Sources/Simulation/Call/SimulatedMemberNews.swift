package import Call
package import Units

/// What the user was told, looked through.
extension SimulatedMember {
  /// Where frames to another go now, as the user was told last.
  package func path(to other: SimulatedMember) -> PathKind? {
    for (_, event) in events.reversed() {
      if case .link(let label, let report) = event, label.peer == other.peer { return report.path }
    }
    return nil
  }

  /// When the user was told of this path, whoever it leads to.
  package func times(of path: PathKind) -> [Instant] {
    events.compactMap { at, event in
      if case .link(_, let report) = event, report.path == path { at } else { nil }
    }
  }

  /// When the user was first told that somebody left.
  package var firstDeparture: Instant? {
    for (at, event) in events { if case .peerLeft = event { return at } }
    return nil
  }

  /// Who left, by the text of the session, and the reason that the user was told.
  package var departures: [String: String] {
    var departures: [String: String] = [:]
    for (_, event) in events {
      if case .peerLeft(let label, let reason) = event { departures[label.peer] = reason }
    }
    return departures
  }
}
