package import Units

/// One of the two encodings of a picture that there are at most, for any number of peers. Each is a
/// stream of its own: frames of one never refer to the other's.
package enum Rendition: Int, CaseIterable, Hashable, Sendable {
  case main
  /// For peers whose paths carry much less than the others', a quarter of the pixels at most.
  case small
}

/// One VP8 frame as the encoder made it (RFC 6386).
package struct EncodedVideoFrame: Sendable {
  package var bytes: [UInt8]
  package var isKeyFrame: Bool
  package var rendition = Rendition.main
  /// 0 is the base layer; a frame refers only to frames of its own layer or below.
  package var temporalLayer: Int
  /// In the base layer and refers to the base layer only: a switching point (RFC 7741 §4.2, Y).
  package var isLayerSync: Bool
  /// Nothing refers to this frame (RFC 7741 §4.2, N).
  package var isDiscardable: Bool
  package var size: PictureSize
  package var capturedAt: Instant
  /// How hastily it was encoded, by the encoder's own measure (`cpu-used` of libvpx); for figures.
  package var speed: Int?

  package init(
    bytes: [UInt8], isKeyFrame: Bool, temporalLayer: Int = 0, isLayerSync: Bool = false,
    isDiscardable: Bool = false, size: PictureSize, capturedAt: Instant, speed: Int? = nil
  ) {
    self.bytes = bytes
    self.isKeyFrame = isKeyFrame
    self.temporalLayer = temporalLayer
    self.isLayerSync = isLayerSync
    self.isDiscardable = isDiscardable
    self.size = size
    self.capturedAt = capturedAt
    self.speed = speed
  }
}

/// One Opus packet.
package struct EncodedAudioFrame: Sendable {
  package var bytes: [UInt8]
  /// Samples at 48 kHz: 480, 960, 1 920 or 2 880.
  package var samples: Int
  /// When its first sample was captured.
  package var capturedAt: Instant

  package init(bytes: [UInt8], samples: Int, capturedAt: Instant) {
    self.bytes = bytes
    self.samples = samples
    self.capturedAt = capturedAt
  }
}
