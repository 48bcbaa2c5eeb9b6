import Call
import Media
import Units

/// What the network thread wants of one rendition.
struct StandingOrder: Sendable {
  /// `nil`: nothing is encoded.
  var settings: VideoOrder?
  var isKeyFrameWanted = false
  var isHeld = false
}

/// One rendition's encoder. The main one's stands ready while nobody wants a picture, as its making
/// takes as long as a picture's encoding (17 ms at 720p); the small one's is made when it is first
/// wanted, and given up when it is not wanted any more.
struct RenditionEncoder {
  let rendition: Rendition
  /// The largest picture that the call sends, to which its orders shrink what is larger.
  private let largest: PictureSize
  private var encoder: (any VideoEncoder)?
  /// What it encoded has been asked for.
  private var isUsed = false
  /// The last picture that had its turn, encoded or not.
  private var last: UInt64?
  private var pace = FramePace()

  init(_ rendition: Rendition, largest: PictureSize) {
    self.rendition = rendition
    self.largest = largest
  }

  /// `nil` where no picture was wanted, this one had its turn, or the encoder dropped it.
  mutating func encode(
    _ source: SourceFrame, under order: StandingOrder,
    makeEncoder: () throws(MediaError) -> any VideoEncoder
  ) throws(MediaError) -> EncodedVideoFrame? {
    let frame = source.frame
    guard let settings = order.settings else {
      try standBy(source, makeEncoder: makeEncoder)
      return nil
    }
    guard source.number != last else { return nil }
    last = source.number
    guard !order.isHeld, pace.admits(frame, framesPerSecond: settings.framesPerSecond) else {
      return nil
    }
    let codec: any VideoEncoder
    if let encoder {
      codec = encoder
    } else {
      codec = try makeEncoder()
      encoder = codec
    }
    isUsed = true
    // The encoder scales it, if it takes it at all.
    var encoded = try codec.encode(
      frame, settings: settings.suited(to: frame.picture.size),
      forceKeyFrame: order.isKeyFrameWanted)
    encoded?.rendition = rendition
    return encoded
  }

  /// Of the first order, most likely.
  private static let firstRate = Bitrate.kilobits(1_000)

  private mutating func standBy(
    _ source: SourceFrame, makeEncoder: () throws(MediaError) -> any VideoEncoder
  ) throws(MediaError) {
    if isUsed { encoder = nil }
    isUsed = false
    guard rendition == .main, encoder == nil else { return }
    let fresh = try makeEncoder()
    let size = source.frame.picture.size
    // As `Conference` shrinks it: an encoder of another size would have to be made anew, and one of
    // all that a pipe may bring (4096x4096) takes memory for pictures that are never sent.
    let first = VideoOrder(
      size: size.shrunk(into: largest), framesPerSecond: source.framesPerSecond,
      bitrate: Self.firstRate)
    try fresh.prepare(first.suited(to: size))
    encoder = fresh
  }
}

extension VideoEncoderSettings {
  /// For pictures of this size, which keep their aspect.
  fileprivate func suited(to picture: PictureSize) -> VideoEncoderSettings {
    var suited = self
    suited.size = picture.shrunk(into: size)
    return suited
  }
}

/// Lets frames through at no more than a rate, whatever the source's own rate is.
struct FramePace {
  private var next: Instant?

  /// A frame may come up to a quarter of its interval early, since sources jitter.
  mutating func admits(_ frame: VideoFrame, framesPerSecond: Double) -> Bool {
    guard framesPerSecond > 0 else { return true }
    let interval = Interval.seconds(1 / framesPerSecond)
    if let next, frame.capturedAt < next - interval * 0.25 { return false }
    // Anchored to the schedule, not to the frame, unless the source fell behind by a frame.
    let scheduled = (next ?? frame.capturedAt) + interval
    next = max(scheduled, frame.capturedAt + interval * 0.5)
    return true
  }
}
