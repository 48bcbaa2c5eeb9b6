import Call
import Media
import Units

/// What the network thread wants of one rendition.
struct StandingOrder: Sendable {
  /// `nil`: nothing is encoded.
  var settings: VideoOrder?
  var isKeyFrameWanted = false
  /// Somebody is on the way, for whom there will be settings soon.
  var isExpected = false
  var isHeld = false
}

/// One rendition's encoder. The main one's stands ready while nobody wants a picture, as its making
/// takes as long as a picture's encoding (17 ms at 720p); the small one's is made when it is first
/// wanted, and given up when it is not wanted any more.
///
/// While somebody is on the way it encodes key frames ahead, a few a second: the first picture of a
/// call need not wait for its encoding when the link stands.
struct RenditionEncoder {
  let rendition: Rendition
  /// The largest picture that the call sends, to which its orders shrink what is larger.
  private let largest: PictureSize
  private var encoder: (any VideoEncoder)?
  /// What it encoded has been asked for.
  private var isUsed = false
  /// What was encoded ahead and is nobody's yet.
  private var ahead: (picture: SourceFrame, encoded: EncodedVideoFrame)?
  /// What the encoder made last was given to nobody: nothing may refer to it.
  private var isUnsent = false
  /// The last picture that had its turn, encoded or not.
  private var last: UInt64?
  private var pace = FramePace()

  init(_ rendition: Rendition, largest: PictureSize) {
    self.rendition = rendition
    self.largest = largest
  }

  /// `nil` where no picture was wanted, this one had its turn, or the encoder dropped it.
  mutating func encode(
    _ source: SourceFrame, under order: StandingOrder, at now: Instant,
    makeEncoder: () throws(MediaError) -> any VideoEncoder
  ) throws(MediaError) -> EncodedVideoFrame? {
    let frame = source.frame
    guard let settings = order.settings else {
      try standBy(source, makeEncoder: makeEncoder)
      if order.isExpected { try encodeAhead(source, at: now) }
      return nil
    }
    if !order.isHeld, let ready = takeAhead(of: source, for: settings, at: now) { return ready }
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
      forceKeyFrame: order.isKeyFrameWanted || isUnsent)
    encoded?.rendition = rendition
    if encoded != nil { isUnsent = false }
    return encoded
  }

  // MARK: Before there is an order

  /// No more than the first order's, where a stream carries it first, either; and a key frame of 720p then
  /// leaves in one flight of TCP's first window (RFC 6928 §2: 10 segments).
  private static let firstRate = Bitrate.kilobits(320)

  private mutating func standBy(
    _ source: SourceFrame, makeEncoder: () throws(MediaError) -> any VideoEncoder
  ) throws(MediaError) {
    if isUsed { encoder = nil }
    isUsed = false
    guard rendition == .main, encoder == nil else { return }
    let fresh = try makeEncoder()
    try fresh.prepare(likelySettings(for: source))
    encoder = fresh
  }

  /// As `Conference` shrinks it: an encoder of another size would have to be made anew, and one of
  /// all that a pipe may bring (4096x4096) takes memory for pictures that are never sent.
  private func likelySettings(for source: SourceFrame) -> VideoEncoderSettings {
    let size = source.frame.picture.size
    return VideoOrder(
      size: size.shrunk(into: largest), framesPerSecond: source.framesPerSecond,
      bitrate: Self.firstRate
    ).suited(to: size)
  }

  /// A key frame that was encoded ahead is replaced when its picture is older than that, and given
  /// out when it is younger than this.
  private static let renewalAge = Interval.milliseconds(70)
  private static let longestAge = Interval.milliseconds(100)

  private mutating func encodeAhead(_ source: SourceFrame, at now: Instant) throws(MediaError) {
    if let picture = ahead?.picture {
      guard now - picture.frame.capturedAt > Self.renewalAge, picture.number != source.number
      else { return }
    }
    ahead = nil
    isUnsent = true
    guard
      var encoded = try encoder?.encode(
        source.frame, settings: likelySettings(for: source), forceKeyFrame: true)
    else { return }
    encoded.rendition = rendition
    ahead = (source, encoded)
  }

  /// What was encoded ahead, if it is what this order asks for and what the camera has just seen.
  private mutating func takeAhead(
    of source: SourceFrame, for settings: VideoEncoderSettings, at now: Instant
  ) -> EncodedVideoFrame? {
    guard let (picture, encoded) = ahead else { return nil }
    ahead = nil
    guard picture.turn == source.turn, now - picture.frame.capturedAt <= Self.longestAge,
      encoded.size == settings.suited(to: picture.frame.picture.size).size,
      Self.firstRate <= settings.bitrate * 1.25
    else { return nil }
    // The picture that is there would be encoded while the others decode this one, and late.
    last = source.number
    isUsed = true
    isUnsent = false
    return encoded
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
