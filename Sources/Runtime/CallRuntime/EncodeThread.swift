import Call
import Media
import Runtime
import Synchronization
import Units

/// Encodes the newest picture of the source at once under the newest orders (decision 8): the main
/// rendition, and after it the small one where there is one.
///
/// It is not the source's thread: who comes into the room gets the picture that is there and need
/// not wait for the next, which may be 33 ms away.
final class EncodeThread: Sendable {
  private let largest: PictureSize
  private let makeEncoder: @Sendable () throws(MediaError) -> any VideoEncoder
  private let report: @Sendable (ConferenceInput) -> Bool
  private let fail: @Sendable (MediaError) -> Void
  private let state = Mutex(State())
  private let news: WakeUp

  private struct State {
    var orders = Rendition.allCases.map { _ in StandingOrder() }
    /// How long an order of the main rendition is expected for.
    var expectedUntil: Instant?
    /// `nil` while the source is off, too: nothing of before is ever sent.
    var newest: SourceFrame?
    /// Of pictures that came.
    var count: UInt64 = 0
    /// How often the source was turned on or off.
    var turns = 0
    var isOn = true
    var isStopped = false

    func order(of index: Int, at now: Instant) -> StandingOrder {
      var order = orders[index]
      order.isExpected = index == Rendition.main.rawValue && expectedUntil.map { now < $0 } ?? false
      return order
    }
  }

  /// A picture older than that is not worth sending: another has come, or none will.
  private static let longestAge = Interval.milliseconds(100)
  /// Encoding for somebody who does not come is at an end then.
  private static let longestExpectation = Interval.seconds(1)

  /// `largest` is the largest picture that is sent; the source's may be larger.
  ///
  /// `report` returns false when the network thread's mailbox is full, whose rule is to refuse: then
  /// the frame is lost and the next one is a key frame. `fail` is called when pictures can't be
  /// encoded; none are, until the source was turned on again.
  init(
    largest: PictureSize,
    makeEncoder: @escaping @Sendable () throws(MediaError) -> any VideoEncoder,
    report: @escaping @Sendable (ConferenceInput) -> Bool,
    fail: @escaping @Sendable (MediaError) -> Void
  ) throws(SystemError) {
    self.largest = largest
    self.makeEncoder = makeEncoder
    self.report = report
    self.fail = fail
    news = try WakeUp()
  }

  // MARK: From the network thread

  func expectOrder() {
    state.withLock { $0.expectedUntil = Clock.now + Self.longestExpectation }
    news.signal()
  }
  func order(_ rendition: Rendition, _ order: VideoOrder?) {
    let isFirst = state.withLock { state in
      defer { state.orders[rendition.rawValue].settings = order }
      return order != nil && state.orders[rendition.rawValue].settings == nil
    }
    if isFirst { news.signal() }
  }
  func hold(_ rendition: Rendition, _ isHeld: Bool) {
    state.withLock { $0.orders[rendition.rawValue].isHeld = isHeld }
  }
  func wantKeyFrame(_ rendition: Rendition) {
    state.withLock { $0.orders[rendition.rawValue].isKeyFrameWanted = true }
  }
  func turn(on isOn: Bool) {
    state.withLock {
      $0.isOn = isOn
      $0.newest = nil
      $0.turns += 1
    }
  }
  func stop() {
    state.withLock { $0.isStopped = true }
    news.signal()
  }

  // MARK: From the source's thread

  /// One that was not encoded yet is lost: late is never queued behind late.
  func take(_ frame: VideoFrame, framesPerSecond: Double) {
    state.withLock {
      $0.count += 1
      guard $0.isOn else { return }
      $0.newest = SourceFrame(
        number: $0.count, turn: $0.turns, frame: frame, framesPerSecond: framesPerSecond)
    }
    news.signal()
  }

  // MARK: Encoding

  func start() throws(SystemError) -> Thread {
    try Thread.start("encode") { self.run() }
  }

  private func run() {
    var encoders = newEncoders
    while !state.withLock({ $0.isStopped }) {
      do {
        try encodeNewest(with: &encoders)
      } catch {
        encoders = newEncoders
        turn(on: false)
        fail(error)
      }
      news.wait()
    }
  }

  private var newEncoders: [RenditionEncoder] {
    Rendition.allCases.map { RenditionEncoder($0, largest: largest) }
  }

  private func encodeNewest(with encoders: inout [RenditionEncoder]) throws(MediaError) {
    guard let newest = state.withLock({ $0.newest }),
      Clock.now - newest.frame.capturedAt <= Self.longestAge
    else { return }
    for index in encoders.indices {
      let now = Clock.now
      let order = state.withLock { $0.order(of: index, at: now) }
      guard
        let encoded = try encoders[index].encode(
          newest, under: order, at: now, makeEncoder: makeEncoder)
      else { continue }
      if encoded.isKeyFrame { state.withLock { $0.orders[index].isKeyFrameWanted = false } }
      if !report(.encodedVideo(encoded)) { wantKeyFrame(encoded.rendition) }
    }
  }
}

/// One picture of the source.
struct SourceFrame: Sendable {
  /// Rises with each.
  var number: UInt64
  /// The same for those between which the source was never off.
  var turn: Int
  var frame: VideoFrame
  /// Of the source.
  var framesPerSecond: Double
}
