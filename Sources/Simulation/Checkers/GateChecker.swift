package import Wire

/// The media gate, seen from outside: no media in a session before its two ends have proved
/// themselves to each other, and none to anyone whom the sender's user was not told about.
package struct GateChecker {
  private let findings: Findings
  /// Own certificate's hash and the other's: pairs whose sender has told its user of the peer.
  private var told: [([UInt8], [UInt8])] = []
  package private(set) var mediaFrames = 0

  package init(findings: Findings) { self.findings = findings }

  /// The process with this certificate told its user who the other one is.
  package mutating func introduce(_ own: [UInt8], to peer: [UInt8]) {
    told.append((own, peer))
  }

  /// A plaintext frame that a link of `own` sends to `peer`.
  package mutating func sent(_ frame: FrameKind, from own: [UInt8], to peer: [UInt8]) {
    guard frame == .rtp || frame == .rtcp else { return }
    mediaFrames += 1
    guard !told.contains(where: { $0.0 == own && $0.1 == peer }) else { return }
    findings.report("gate", "a frame of kind \(frame) before proof")
  }
}
