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

/// One rendition's encoder, made when the rendition is first wanted and given up when it is not
/// wanted any more.
struct RenditionEncoder {
  let rendition: Rendition
  private var encoder: (any VideoEncoder)?
  private var pace = FramePace()

  init(_ rendition: Rendition) { self.rendition = rendition }

  /// `nil` where no picture was wanted, or the encoder dropped this one.
  mutating func encode(
    _ frame: VideoFrame, under order: StandingOrder,
    makeEncoder: () throws(MediaError) -> any VideoEncoder
  ) throws(MediaError) -> EncodedVideoFrame? {
    guard let settings = order.settings else {
      encoder = nil
      return nil
    }
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
    var wanted = settings
    wanted.size = frame.picture.size.shrunk(into: settings.size)
    // The encoder scales it, if it takes it at all.
    var encoded = try codec.encode(frame, settings: wanted, forceKeyFrame: order.isKeyFrameWanted)
    encoded?.rendition = rendition
    return encoded
  }
}
