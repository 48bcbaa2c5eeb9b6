package import Units

/// What came out of one run.
package struct ScenarioResult: Sendable {
  package var name: String
  package var seed: UInt64
  package var flows: [FlowResult]
  /// Every 100 ms.
  package var samples: [ScenarioSample]
  package var shocks: [ShockResult]
  /// Of the whole run; those that make no sense for it are absent.
  package var figures: [ScenarioFigure: Double]
  package var verdicts: [GoalVerdict]
  /// What the checkers found, and how many things they found.
  package var findings: [String]
  package var findingCount: Int
  /// Of everything that happened.
  package var trace: UInt64

  /// Every goal met, and no checker found anything.
  package var isGood: Bool { findingCount == 0 && verdicts.allSatisfy(\.isMet) }
}

package struct FlowResult: Sendable {
  package var name: String
  package var isMedia: Bool
  package var direction: Bottleneck.Direction
  /// Wire bits a second that arrived while the flow lasted.
  package var rate: Bitrate
  package var figures: [ScenarioFigure: Double]
  /// Finished short transfers; 0 for all other flows.
  package var transfers = 0
}

/// One tenth of a second.
package struct ScenarioSample: Sendable {
  package struct OfFlow: Sendable {
    /// kbit/s on the wire.
    package var sent: Double
    package var received: Double
    /// What congestion control allows, kbit/s; TCP has none.
    package var target: Double?
    /// The longest from capture to decoded picture, ms; `nil` without a picture.
    package var delay: Double?

    package init(
      sent: Double, received: Double, target: Double? = nil, delay: Double? = nil
    ) {
      self.sent = sent
      self.received = received
      self.target = target
      self.delay = delay
    }
  }
  package struct OfLine: Sendable {
    /// kbit/s; `nil` without limit.
    package var capacity: Double?
    /// kbit/s that passed it, whatever was lost behind it.
    package var used: Double
    /// ms, at the end of this time.
    package var queue: Double
    /// 0…1: lost and dropped of what was offered.
    package var loss: Double

    package init(capacity: Double?, used: Double, queue: Double = 0, loss: Double = 0) {
      self.capacity = capacity
      self.used = used
      self.queue = queue
      self.loss = loss
    }
  }

  /// Its end, in seconds.
  package var time: Double
  /// As in the scenario.
  package var flows: [OfFlow]
  package var forward: OfLine
  package var backward: OfLine

  package init(time: Double, flows: [OfFlow], forward: OfLine, backward: OfLine) {
    self.time = time
    self.flows = flows
    self.forward = forward
    self.backward = backward
  }

  package func line(_ direction: Bottleneck.Direction) -> OfLine {
    direction == .forward ? forward : backward
  }
}

package struct ShockResult: Sendable {
  package var shock: Shock
  /// `nil`: it never recovered before the next shock or the end.
  package var took: Interval?
}

package struct GoalVerdict: Sendable {
  package var goal: ScenarioGoal
  package var value: Double?
  package var isMet: Bool { goal.isMet(by: value) }
}
