/// How a program ends: a promise to scripts, never renumbered.
package enum ExitCode: Int32, Sendable {
  case success = 0
  /// `p2pcall check` expects no call to come about.
  case noCallExpected = 1
  /// The user's mistake, said in one sentence.
  case usage = 2
  case serverUnreachable = 3
  /// By the server, for whatever reason.
  case roomRefused = 4
  /// The server's pin or certificate, or the only other member's key or proof.
  case trust = 5
  /// Members present, none proved within 30 s.
  case noPath = 6
  /// A device, file or pipe that was asked for by name and does not work at start.
  case device = 7
  case internalError = 70
  case interrupted = 130
}

/// A user's mistake: one sentence that says what was wrong and what to do instead.
package struct UsageError: Error, Hashable, Sendable, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}
