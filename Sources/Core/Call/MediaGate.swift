/// Whether camera, microphone and screen may leave for one peer (docs/protocol.md, The media gate).
///
/// Every condition starts closed, and none of them can be set by anything that arrives but proofs
/// that were checked here: no message of a peer or server opens the gate.
package struct MediaGate: Hashable, Sendable {
  /// The local user asked for this call and has not left it.
  package var userJoined = false
  /// PROOF and IDENTITY of a link to the peer were verified.
  package var isProved = false
  /// The peer's key is not one that claims a name pinned for another key.
  package var isQuarantined = true
  /// The room's flags ask for nothing that is missing (certificate chain, ticket).
  package var isAdmitted = false
  package var isBanned = false

  package init() {}

  package var isOpen: Bool {
    userJoined && isProved && !isQuarantined && isAdmitted && !isBanned
  }
}
