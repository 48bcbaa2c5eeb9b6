package import Units

/// Pictures of one camera at one screen: each at most once, in order, and never one that a decoder
/// could not decode; none shown later after its capture than `oldest`, but for the
/// first seconds of a session.
package struct PictureChecker {
  package private(set) var screen = ScriptedScreen()
  /// Capture to decoding, in steps of a millisecond.
  package private(set) var ages = WaitHistogram()
  package private(set) var newest: ScriptedPicture?
  private let findings: Findings
  private let camera: UInt32
  private let name: String
  private let oldest: Interval
  /// The first picture of this session was shown.
  private var openedAt: Instant?

  /// A receiver that has seen nothing yet has nothing to compare a picture's way with.
  private static let beginning = Interval.seconds(2)

  package init(_ name: String, camera: UInt32, oldest: Interval, findings: Findings) {
    self.name = name
    self.camera = camera
    self.oldest = oldest
    self.findings = findings
  }

  /// Another session begins.
  package mutating func reopen() { openedAt = nil }

  /// A frame came out of the receiver; false if a decoder would refuse it. `capturedAt` says when
  /// a picture was captured, by its number, in world time as `now`.
  package mutating func decode(
    _ bytes: [UInt8], isShown: Bool = true, at now: Instant, capturedAt: (UInt32) -> Instant?
  ) -> Bool {
    switch screen.decode(bytes) {
    case .shown(let picture):
      newest = picture
      if picture.camera != camera {
        findings.report("picture", "\(name): picture of camera \(picture.camera), not \(camera)")
      }
      guard let captured = capturedAt(picture.number) else {
        findings.report("picture", "\(name): picture \(picture.number) was never captured")
        return true
      }
      guard isShown else { return true }
      ages.add(now - captured)
      let openedAt = openedAt ?? now
      self.openedAt = openedAt
      if now - captured > oldest, now - openedAt > Self.beginning {
        findings.report(
          "picture", "\(name): picture \(picture.number) is \((now - captured).milliseconds) ms old"
        )
      }
      return true
    case .broken:
      findings.report("picture", "\(name): \(bytes.count) bytes that no camera made")
    case .undecodable(let picture, let has):
      findings.report(
        "picture",
        "\(name): picture \(picture.number) needs \(picture.reference ?? 0), the decoder has \(has ?? 0)"
      )
    case .repeated(let picture, let shown):
      findings.report("picture", "\(name): picture \(picture.number) after \(shown)")
    }
    return false
  }
}
