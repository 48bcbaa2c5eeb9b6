/// A decoder and its window: knows from a scripted picture whether a real decoder could have
/// decoded it.
package struct ScriptedScreen: Sendable {
  package enum Verdict: Hashable, Sendable {
    case shown(ScriptedPicture)
    /// Bytes that no camera made.
    case broken
    /// It refers to a picture that this decoder never had, or has no more.
    case undecodable(ScriptedPicture, has: UInt32?)
    /// A picture that was shown before, or one older than what is shown.
    case repeated(ScriptedPicture, shown: UInt32)
  }

  /// What the decoder's reference buffer holds.
  private var reference: UInt32?
  package private(set) var newestShown: UInt32 = 0
  package private(set) var shownCount = 0

  package init() {}

  package mutating func decode(_ bytes: [UInt8]) -> Verdict {
    guard let picture = ScriptedPicture(decoding: bytes) else { return .broken }
    if picture.number <= newestShown { return .repeated(picture, shown: newestShown) }
    if let wanted = picture.reference, wanted != reference {
      return .undecodable(picture, has: reference)
    }
    if !picture.isDiscardable { reference = picture.number }
    newestShown = picture.number
    shownCount += 1
    return .shown(picture)
  }
}
