import Judging
import Media
import Units
import VideoCodec

/// The codec alone, over pictures that were sent in a call, for comparison.
struct LocalEncoder {
  struct Result {
    /// Mean luma PSNR of the sampled pictures.
    var quality: Double
    var rate: Bitrate
  }

  /// Encodes and decodes what was sent; the quality is that of the pictures in `sampled`.
  static func run(
    _ book: FrameBook, sent: [SentFrame], sampled: Set<UInt32>, rate: Bitrate
  ) throws(BenchError) -> Result {
    do {
      let encoder = VP8Encoder(processors: 2)
      let decoder = try VP8Decoder()
      let settings = VideoEncoderSettings(
        size: book.size, framesPerSecond: Double(book.framesPerSecond), bitrate: rate)
      var bytes = 0
      var qualities: [Double] = []
      for (index, frame) in sent.enumerated() {
        let original = book.original(PaintedClock(number: frame.number, at: frame.at))
        let encoded = try encoder.encode(
          VideoFrame(picture: original, capturedAt: frame.at), settings: settings,
          forceKeyFrame: index == 0)
        guard let encoded else { continue }
        bytes += encoded.bytes.count
        let decoded = try decoder.decode(encoded.bytes)
        if let decoded, sampled.contains(frame.number) {
          qualities.append(peakSignalToNoise(decoded, against: original))
        }
      }
      let seconds = Double(sent.count) / Double(book.framesPerSecond)
      let mean = qualities.reduce(0, +) / Double(max(1, qualities.count))
      return Result(
        quality: mean, rate: Bitrate(of: ByteCount(bytes), in: .seconds(seconds)))
    } catch { throw BenchError("the encoder alone failed: \(error)") }
  }

  /// The quality at the wanted rate, whatever the encoder makes of its target: the target is
  /// corrected until the bytes are within 2 %, at most four times.
  static func quality(
    _ book: FrameBook, sent: [SentFrame], sampled: Set<UInt32>, rate: Bitrate
  ) throws(BenchError) -> Double {
    var target = rate
    var best: Result?
    for _ in 0..<4 {
      let result = try run(book, sent: sent, sampled: sampled, rate: target)
      let error = { (result: Result) in
        (result.rate.kilobitsPerSecond / rate.kilobitsPerSecond - 1).magnitude
      }
      if let known = best, error(known) <= error(result) {} else { best = result }
      if error(result) < 0.02 { break }
      target = target * (rate.kilobitsPerSecond / max(1, result.rate.kilobitsPerSecond))
    }
    return best?.quality ?? 0
  }
}
