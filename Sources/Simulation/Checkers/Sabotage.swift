/// A bug planted on purpose, to see the checker that is there for it turn red: for each thing that a
/// checker can find there is one.
package enum Sabotage: String, Hashable, Sendable, CaseIterable {
  // Between a receiver and the decoder, at the fiftieth picture.
  case frameDropped
  case frameDoubled
  case framesSwapped
  case frameAltered
  case frameInvented
  case frameOfAnother
  case frameStale
  case showsSwapped
  case viewerClosed
  // Between the jitter buffer and the decoder, at the hundredth packet.
  case soundAltered
  case soundDoubled
  case soundOfAnother
  case soundLate
  case soundStale
  // What a state machine asks for and gives out.
  case deadlineInThePast
  case timerAtOneInstant
  case timerStorm
  case endlessTurn
  case outputAstray
  case burst
  // What users are told.
  case chatDoubled
  case chatInvented
  case chatLost
  case chatSwapped
  case deliveryDoubled
  case deliveryTooEarly
  case deliveryUntold
  case mediaBeforeProof
  case unseeded
}
