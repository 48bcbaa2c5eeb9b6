import Media
import Units

/// Encoded pictures that wait for the pacer. A picture is sent whole or not at all, and one that
/// would be stale is dropped before it is cut into packets. Dropping one that later pictures refer
/// to breaks the chain: nothing passes then until a key frame comes.
struct FrameQueue {
  private var waiting: [(frame: EncodedVideoFrame, since: Instant)] = []
  /// Bytes that wait.
  private(set) var byteCount = 0
  /// The chain is broken, or has not begun: only a key frame may enter.
  private(set) var needsKeyFrame = true
  /// Since the beginning.
  private(set) var droppedCount = 0

  private static let ageLimit = Interval.milliseconds(200)
  private static let discardableAgeLimit = Interval.milliseconds(20)
  private static let countLimit = 32
  private static let byteLimit = 4_000_000

  var isEmpty: Bool { waiting.isEmpty }
  var hasKeyFrame: Bool { waiting.contains { $0.frame.isKeyFrame } }

  mutating func append(_ frame: EncodedVideoFrame, at now: Instant) {
    if frame.isKeyFrame {
      // A key frame makes everything before it superfluous.
      drop()
      needsKeyFrame = false
    } else if needsKeyFrame {
      droppedCount += 1
      return
    }
    let age = waiting.first.map { now - $0.since } ?? .zero
    if frame.isDiscardable, age > Self.discardableAgeLimit {
      droppedCount += 1
      return
    }
    waiting.append((frame, now))
    byteCount += frame.bytes.count
    if age > Self.ageLimit || waiting.count > Self.countLimit || byteCount > Self.byteLimit {
      breakChain()
    }
  }

  /// The next picture to send; `nil` when there is none that is fresh enough.
  mutating func next(at now: Instant) -> EncodedVideoFrame? {
    guard let oldest = waiting.first else { return nil }
    guard now - oldest.since <= Self.ageLimit else {
      breakChain()
      return nil
    }
    waiting.removeFirst()
    byteCount -= oldest.frame.bytes.count
    return oldest.frame
  }

  /// Only a key frame may follow.
  mutating func breakChain() {
    drop()
    needsKeyFrame = true
  }

  private mutating func drop() {
    droppedCount += waiting.count
    waiting.removeAll(keepingCapacity: true)
    byteCount = 0
  }
}
