package import Media
package import Units

/// What a simulated camera needs to encode real pictures. The simulation itself knows no codec, and
/// the same pictures and codecs give the same run.
package struct RealPictures {
  /// Picture `number` of the camera, from 0, captured at this instant.
  package var picture: (_ number: Int, _ at: Instant) -> Picture
  package var makeEncoder: () throws(MediaError) -> any VideoEncoder
  package var makeDecoder: () throws(MediaError) -> any VideoDecoder
  /// How alike two pictures of one size are, in dB.
  package var quality: (_ shown: Picture, _ original: Picture) -> Double

  package init(
    picture: @escaping (_ number: Int, _ at: Instant) -> Picture,
    makeEncoder: @escaping () throws(MediaError) -> any VideoEncoder,
    makeDecoder: @escaping () throws(MediaError) -> any VideoDecoder,
    quality: @escaping (_ shown: Picture, _ original: Picture) -> Double
  ) {
    self.picture = picture
    self.makeEncoder = makeEncoder
    self.makeDecoder = makeDecoder
    self.quality = quality
  }
}

/// One camera's real pictures from encoder to decoder. A scripted picture travels in place of each, as
/// long as it and referring to the same, so that every checker goes on knowing what it is.
package final class RealFilm {
  /// What was made of what was asked for.
  package private(set) var sizes = FrameSizes()
  /// Of every so many pictures that were shown, at the size of the camera's, in dB.
  package private(set) var qualities: [Double] = []
  private let pictures: RealPictures
  private let encoder: any VideoEncoder
  private let decoder: any VideoDecoder
  private let findings: Findings
  /// By the scripted picture's number: those that may still come, and what they show.
  private var underWay: [(number: UInt32, bytes: [UInt8], captured: Int, at: Instant)] = []
  private var shown = 0

  /// One shown picture in so many is compared with its original.
  private static let sampling = 5

  package init(_ pictures: RealPictures, findings: Findings) throws(MediaError) {
    self.pictures = pictures
    self.findings = findings
    encoder = try pictures.makeEncoder()
    decoder = try pictures.makeDecoder()
  }

  /// The encoder's frame of picture `captured`; `nil` where it dropped that.
  func encode(
    _ captured: Int, at: Instant, settings: VideoEncoderSettings, forceKeyFrame: Bool
  ) -> EncodedVideoFrame? {
    do {
      let frame = try encoder.encode(
        VideoFrame(picture: pictures.picture(captured, at), capturedAt: at), settings: settings,
        forceKeyFrame: forceKeyFrame)
      sizes.count(frame, settings)
      return frame
    } catch {
      findings.report("codec", "the encoder failed: \(error)")
      return nil
    }
  }

  /// Scripted picture `number` travels in place of this frame of picture `captured`.
  func send(_ frame: EncodedVideoFrame, of captured: Int, as number: UInt32) {
    underWay.append((number, frame.bytes, captured, frame.capturedAt))
  }

  /// Scripted picture `number` came out of the receiver, after all to which it refers.
  func decode(_ number: UInt32, isShown: Bool) {
    guard let place = underWay.firstIndex(where: { $0.number == number }) else { return }
    let (_, bytes, captured, at) = underWay[place]
    underWay.removeFirst(place + 1)
    do {
      let picture = try decoder.decode(bytes)
      guard isShown, let picture else { return }
      shown += 1
      guard shown % Self.sampling == 0 else { return }
      let original = pictures.picture(captured, at)
      let scaled =
        picture.size == original.size ? picture : PictureScaler.scale(picture, to: original.size)
      qualities.append(pictures.quality(scaled, original))
    } catch {
      findings.report("codec", "the decoder refused picture \(number): \(error)")
    }
  }
}

/// How large frames were beside the share of the rate that each was asked to take.
package struct FrameSizes: Sendable {
  /// Key frames apart, in the order of encoding; 0 for one that was dropped.
  package private(set) var ratios: [Double] = []
  package private(set) var keyFrameRatios: [Double] = []
  /// Bytes.
  private var asked = 0.0
  private var made = 0.0

  mutating func count(_ frame: EncodedVideoFrame?, _ settings: VideoEncoderSettings) {
    let share =
      Double(settings.bitrate.bitsPerSecond) / 8 / max(1, settings.framesPerSecond)
    let size = Double(frame?.bytes.count ?? 0)
    asked += share
    made += size
    if frame?.isKeyFrame == true {
      keyFrameRatios.append(size / share)
    } else {
      ratios.append(size / share)
    }
  }

  /// Of all that was asked for, key frames too; `nil` before the first.
  package var mean: Double? { asked > 0 ? made / asked : nil }

  /// 0…1.
  package func percentile(_ part: Double) -> Double? {
    guard !ratios.isEmpty else { return nil }
    return ratios.sorted()[min(ratios.count - 1, Int(part * Double(ratios.count)))]
  }
}
