/// A bug planted on purpose, to see the checker that is there for it turn red.
package enum Sabotage: String, Hashable, Sendable, CaseIterable {
  case frameDropped
  case frameDoubled
  case framesSwapped
  case soundLate
  case deadlineInThePast
  case burst
  case chatDoubled
  case chatSwapped
  case mediaBeforeProof
  case unseeded
}
