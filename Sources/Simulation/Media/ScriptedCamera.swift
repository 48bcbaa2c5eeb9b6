package import Media
package import Units

/// A camera and its encoder: pictures whose sizes vary as a real encoder's do around the rate that
/// was asked for, with key frames several times larger, paid back by the pictures after them.
package struct ScriptedCamera: Sendable {
  package let camera: UInt32
  /// How many temporal layers the encoder makes: 1, or 2 with every other picture discardable.
  package var layers = 1
  private var random: SeededRandom
  private var number: UInt32 = 0
  /// By rendition.
  private var streams = Rendition.allCases.map { _ in Stream() }

  /// What one encoder remembers.
  private struct Stream {
    var lastBase: UInt32?
    var lastSize: PictureSize?
    var isTopLayer = false
    /// Bytes given beyond the rate and not yet paid back.
    var debt = 0.0
  }

  /// How many times a key frame is as large as its fellows.
  private static let keyFrameFactor = 5.0
  /// One picture in so many shows a new scene.
  private static let sceneChance = 1.0 / 150

  package init(camera: UInt32, random: SeededRandom) {
    self.camera = camera
    self.random = random
  }

  /// Pictures made so far: the number of the newest.
  package var newest: UInt32 { number }

  /// Both renditions' pictures share one count.
  package mutating func picture(
    _ rendition: Rendition = .main, at capturedAt: Instant, settings: VideoEncoderSettings,
    forceKeyFrame: Bool
  ) -> EncodedVideoFrame {
    var stream = streams[rendition.rawValue]
    let isKeyFrame = forceKeyFrame || stream.lastBase == nil || stream.lastSize != settings.size
    stream.isTopLayer = layers > 1 && !isKeyFrame && !stream.isTopLayer
    let isTopLayer = stream.isTopLayer
    number += 1
    let picture = ScriptedPicture(
      camera: camera, number: number, reference: isKeyFrame ? nil : stream.lastBase,
      size: settings.size, isDiscardable: isTopLayer)
    if !isTopLayer { stream.lastBase = number }
    stream.lastSize = settings.size
    let bytes = picture.encoded(
      count: nextCount(settings, isKeyFrame: isKeyFrame, debt: &stream.debt))
    streams[rendition.rawValue] = stream
    var frame = EncodedVideoFrame(
      bytes: bytes, isKeyFrame: isKeyFrame, temporalLayer: isTopLayer ? 1 : 0,
      isLayerSync: isTopLayer, isDiscardable: isTopLayer, size: settings.size,
      capturedAt: capturedAt)
    frame.rendition = rendition
    return frame
  }

  /// A picture that travels in place of a real frame: as long, and referring to the same.
  package mutating func picture(like frame: EncodedVideoFrame) -> EncodedVideoFrame {
    var stream = streams[frame.rendition.rawValue]
    number += 1
    let picture = ScriptedPicture(
      camera: camera, number: number, reference: frame.isKeyFrame ? nil : stream.lastBase,
      size: frame.size, isDiscardable: frame.isDiscardable)
    if !frame.isDiscardable { stream.lastBase = number }
    stream.lastSize = frame.size
    streams[frame.rendition.rawValue] = stream
    var scripted = frame
    scripted.bytes = picture.encoded(count: frame.bytes.count)
    return scripted
  }

  private mutating func nextCount(
    _ settings: VideoEncoderSettings, isKeyFrame: Bool, debt: inout Double
  ) -> Int {
    let share = Double(settings.bitrate.bitsPerSecond) / 8 / max(1, settings.framesPerSecond)
    var wanted = share * (0.7 + 0.6 * random.unit())
    if random.chance(Self.sceneChance) { wanted *= 2.5 }
    if isKeyFrame { wanted = share * Self.keyFrameFactor }
    // A tenth of the debt is paid back with each picture, but never more than half a picture.
    let payment = min(max(debt / 10, -share / 2), wanted / 2)
    let count = max(Double(ScriptedPicture.leastBytes), wanted - payment)
    debt += count - share
    return Int(count)
  }
}
