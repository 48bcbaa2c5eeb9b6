package import Units

/// What the checkers of one simulation found: empty, or the run failed.
package final class Findings {
  package struct Finding: Hashable, Sendable, CustomStringConvertible {
    package var checker: String
    package var at: Instant
    package var text: String

    package var description: String {
      "\(checker) at \(Double(at.nanoseconds / 1_000) / 1_000) ms: \(text)"
    }
  }

  /// The first hundred.
  package private(set) var list: [Finding] = []
  package private(set) var count = 0
  private let world: World

  package init(_ world: World) { self.world = world }

  package var isEmpty: Bool { count == 0 }

  package func report(_ checker: StaticString, _ text: @autoclosure () -> String) {
    count += 1
    guard list.count < 100 else { return }
    list.append(Finding(checker: checker.description, at: world.now, text: text()))
  }

  package func has(_ checker: StaticString) -> Bool {
    list.contains { $0.checker == checker.description }
  }

  /// The seed that replays the run, and the first findings, one a line.
  package var summary: String {
    let lines = list.prefix(12).map { "  \($0)" }
    return (["seed \(world.seed): \(count) findings"] + lines).joined(separator: "\n")
  }
}
