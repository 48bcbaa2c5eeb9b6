import CFFmpeg
import Media

/// A clip's pictures: decoded, thinned out to a rate, scaled to one size, as I420.
final class ClipPictures {
  let size: PictureSize
  let framesPerSecond: Double
  private let decoder: ClipDecoder
  /// Quarter turns clockwise that make the pictures upright: phones store them as the sensor lies.
  private let turns: Int
  private var scaler: OpaquePointer?
  private var scaled: UnsafeMutablePointer<AVFrame>?
  /// µs: the time of the last picture given, and the earliest of the next.
  private var last: Int64?
  private var earliest: Int64 = 0

  /// µs that a picture is shown.
  var interval: Int64 { Int64(1_000_000 / framesPerSecond) }

  init(_ decoder: ClipDecoder, limit: PictureSize, framesPerSecond cap: Double) throws(MediaError) {
    self.decoder = decoder
    let parameters = decoder.stream.pointee.codecpar.pointee
    guard parameters.width > 0, parameters.height > 0 else {
      throw MediaError(
        .unsupported, "the file has pictures without a size", remedy: "convert it with ffmpeg")
    }
    // Samples may be wider than high.
    let aspect = av_guess_sample_aspect_ratio(nil, decoder.stream, nil)
    let stretch = aspect.num > 0 && aspect.den > 0 ? Double(aspect.num) / Double(aspect.den) : 1
    let width = Double(parameters.width) * min(max(stretch, 0.1), 10)
    turns = quarterTurns(of: decoder.stream)
    let isUpright = turns % 2 == 0
    let stored = PictureSize(width: max(1, Int(width)), height: Int(parameters.height))
    size = (isUpright ? stored : stored.transposed).shrunk(into: limit)
    let unturned = isUpright ? size : size.transposed
    let rate = av_guess_frame_rate(nil, decoder.stream, nil)
    let stated = rate.num > 0 && rate.den > 0 ? Double(rate.num) / Double(rate.den) : 0
    // Still pictures and covers state nonsense.
    framesPerSecond = (1...240).contains(stated) ? min(stated, cap) : min(5, cap)
    scaled = av_frame_alloc()
    scaled?.pointee.format = AV_PIX_FMT_YUV420P.rawValue
    scaled?.pointee.width = Int32(unturned.width)
    scaled?.pointee.height = Int32(unturned.height)
    guard av_frame_get_buffer(scaled, 0) >= 0 else { throw .outOfMemory }
  }

  deinit {
    sws_freeContext(scaler)
    av_frame_free(&scaled)
  }

  /// The next picture and its time in µs since the clip's start; `nil` at the end.
  func next() -> (time: Int64, bytes: [UInt8])? {
    while let frame = decoder.next() {
      let following = last.map { $0 + interval } ?? 0
      var time = max(0, decoder.time(of: frame) ?? following)
      // Times run forwards, whatever a damaged file says, and not away.
      if let last, time <= last || time > last + 10_000_000 { time = following }
      // Half a millisecond of rounding in the file's clock is no reason to leave one out.
      guard time + 500 >= earliest else { continue }
      guard let bytes = convert(frame) else { continue }
      earliest = max(earliest + interval, time + interval / 2)
      last = time
      return (time, bytes)
    }
    return nil
  }

  private func convert(_ frame: UnsafeMutablePointer<AVFrame>) -> [UInt8]? {
    guard frame.pointee.width > 0, frame.pointee.height > 0 else { return nil }
    guard let scaled else { return nil }
    scaler = sws_getCachedContext(
      scaler, frame.pointee.width, frame.pointee.height, AVPixelFormat(frame.pointee.format),
      scaled.pointee.width, scaled.pointee.height, AV_PIX_FMT_YUV420P, SWS_BICUBIC, nil, nil, nil)
    guard let scaler else { return nil }
    let coefficients = sws_getCoefficients(SWS_CS_DEFAULT)
    let isFullRange = frame.pointee.color_range == AVCOL_RANGE_JPEG
    sws_setColorspaceDetails(
      scaler, coefficients, isFullRange ? 1 : 0, coefficients, 0, 0, 1 << 16, 1 << 16)
    guard sws_scale_frame(scaler, scaled, frame) >= 0 else { return nil }
    return packed(scaled)
  }

  /// The planes, upright and without padding.
  private func packed(_ frame: UnsafeMutablePointer<AVFrame>) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(size.pixels * 3 / 2)
    let data = frame.pointee.data
    let strides = frame.pointee.linesize
    for (plane, stride, shift) in [
      (data.0, strides.0, 0), (data.1, strides.1, 1), (data.2, strides.2, 1),
    ] {
      guard let plane else { continue }
      let rows = Int(frame.pointee.height) >> shift
      let columns = Int(frame.pointee.width) >> shift
      let stride = Int(stride)
      switch turns {
      case 1:
        for column in 0..<columns {
          for row in (0..<rows).reversed() { bytes.append(plane[row * stride + column]) }
        }
      case 2:
        for row in (0..<rows).reversed() {
          for column in (0..<columns).reversed() { bytes.append(plane[row * stride + column]) }
        }
      case 3:
        for column in (0..<columns).reversed() {
          for row in 0..<rows { bytes.append(plane[row * stride + column]) }
        }
      default:
        for row in 0..<rows {
          bytes += UnsafeBufferPointer(start: plane + row * stride, count: columns)
        }
      }
    }
    return bytes
  }
}

extension PictureSize {
  fileprivate var transposed: PictureSize { PictureSize(width: height, height: width) }
}

/// From the stream's display matrix, which turns counter-clockwise.
private func quarterTurns(of stream: UnsafeMutablePointer<AVStream>) -> Int {
  var size = 0
  let matrix = av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, &size)
  guard let matrix, size >= 9 * 4 else { return 0 }
  let angle = matrix.withMemoryRebound(to: Int32.self, capacity: 9) {
    av_display_rotation_get($0)
  }
  guard angle.isFinite else { return 0 }
  return (4 - Int((angle / 90).rounded()) % 4) % 4
}
