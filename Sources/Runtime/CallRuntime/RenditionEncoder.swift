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
  private var encoder: (any VideoEncoder)?
  /// What it encoded has been asked for.
  private var isUsed = false
  /// The last picture that had its turn, encoded or not.
  private var last: UInt64?
  private var pace = FramePace()

  init(_ rendition: Rendition) { self.rendition = rendition }

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
    var wanted = settings
    wanted.size = frame.picture.size.shrunk(into: settings.size)
    // The encoder scales it, if it takes it at all.
    var encoded = try codec.encode(frame, settings: wanted, forceKeyFrame: order.isKeyFrameWanted)
    encoded?.rendition = rendition
    return encoded
  }

  /// As the first order will most likely be.
  private static let firstRate = Bitrate.kilobits(1_000)

  private mutating func standBy(
    _ source: SourceFrame, makeEncoder: () throws(MediaError) -> any VideoEncoder
  ) throws(MediaError) {
    if isUsed { encoder = nil }
    isUsed = false
    guard rendition == .main, encoder == nil else { return }
    let fresh = try makeEncoder()
    try fresh.prepare(
      VideoEncoderSettings(
        size: source.frame.picture.size, framesPerSecond: source.framesPerSecond,
        bitrate: Self.firstRate))
    encoder = fresh
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
