/// What was dropped, and why. Counts only rise.
package struct LinkCounters: Hashable, Sendable {
  /// Neither STUN nor DTLS, or STUN that doesn't parse.
  package var foreignDatagrams = 0
  /// STUN for nobody we know, or whose integrity is wrong: no answer was given.
  package var unauthenticStun = 0
  /// DTLS from a path that ICE hasn't validated.
  package var unvalidatedDatagrams = 0
  /// Frames that were malformed, of an unknown kind, or came before proof.
  package var invalidFrames = 0
  /// Frames of our own that were longer than the carrier takes.
  package var oversizedFrames = 0
  /// Frames of our own for which there was no link, or whose link had too much queued.
  package var droppedFrames = 0
  /// Candidates of addresses that are never used, or above the limit.
  package var refusedCandidates = 0
  /// Descriptions for nobody we know, or that contradict an earlier one.
  package var refusedDescriptions = 0
  /// TCP connections that were refused, or never said who they are.
  package var refusedStreams = 0
  /// What `AddressShield` kept from leaving: a fault of ours, each of them.
  package var withheld = 0

  package init() {}
}

extension LinkCounters {
  package static func + (left: LinkCounters, right: LinkCounters) -> LinkCounters {
    var sum = left
    sum.foreignDatagrams += right.foreignDatagrams
    sum.unauthenticStun += right.unauthenticStun
    sum.unvalidatedDatagrams += right.unvalidatedDatagrams
    sum.invalidFrames += right.invalidFrames
    sum.oversizedFrames += right.oversizedFrames
    sum.droppedFrames += right.droppedFrames
    sum.refusedCandidates += right.refusedCandidates
    sum.refusedDescriptions += right.refusedDescriptions
    sum.refusedStreams += right.refusedStreams
    sum.withheld += right.withheld
    return sum
  }
}
