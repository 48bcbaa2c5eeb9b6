import CFFmpeg
import Media

/// A clip's sound as 48 kHz mono, without gaps from the clip's start on.
final class ClipSound {
  private let decoder: ClipDecoder
  private var resampler: OpaquePointer?
  private var format: (rate: Int32, format: Int32, channels: Int32)?
  /// Decoded and not given yet.
  private var samples: [Int16] = []
  /// Samples decoded so far, silence for gaps included.
  private var count: Int64 = 0
  private var isAtEnd = false
  /// Gaps and overlaps up to 50 ms are the file's rounding, not meant.
  private static let tolerance: Int64 = 2_400

  init(_ decoder: ClipDecoder) { self.decoder = decoder }

  deinit { swr_free(&resampler) }

  /// The next 10 ms, the last ones filled up with silence; `nil` at the end.
  func next() -> [Int16]? {
    while samples.count < AudioFormat.blockSamples, !isAtEnd {
      if let frame = decoder.next() {
        take(frame)
      } else {
        isAtEnd = true
        append(convert(nil))
      }
    }
    guard !samples.isEmpty else { return nil }
    let block = samples.prefix(AudioFormat.blockSamples)
    samples.removeFirst(block.count)
    return block + [Int16](repeating: 0, count: AudioFormat.blockSamples - block.count)
  }

  private func take(_ frame: UnsafeMutablePointer<AVFrame>) {
    prepare(for: frame)
    guard let resampler else { return }
    var converted = convert(frame)
    if let time = decoder.time(of: frame) {
      // Where the frame's first sample belongs; the resampler still holds some from before.
      let held = swr_get_delay(resampler, Int64(AudioFormat.sampleRate))
      let due = time * 48 / 1_000
      let reached =
        count + held + Int64(converted.count) - Int64(frame.pointee.nb_samples) * 48_000
        / Int64(max(1, frame.pointee.sample_rate))
      let gap = due - reached
      // Where the sound begins is meant to the sample.
      let tolerance = count == 0 ? 0 : Self.tolerance
      if gap > tolerance, gap < 48_000 * 60 {
        append([Int16](repeating: 0, count: Int(gap)))
      } else if gap < -tolerance {
        converted.removeFirst(min(converted.count, Int(-gap)))
      }
    }
    append(converted)
  }

  private func append(_ fresh: [Int16]) {
    samples += fresh
    count += Int64(fresh.count)
  }

  /// Makes a resampler for the frame's format, which may change within a stream.
  private func prepare(for frame: UnsafeMutablePointer<AVFrame>) {
    let found = (
      rate: frame.pointee.sample_rate, format: frame.pointee.format,
      channels: frame.pointee.ch_layout.nb_channels
    )
    if let format, format == found { return }
    if resampler != nil { append(convert(nil)) }
    format = found
    swr_free(&resampler)
    var mono = AVChannelLayout()
    p2p_av_default_mono(&mono)
    swr_alloc_set_opts2(
      &resampler, &mono, AV_SAMPLE_FMT_S16, Int32(AudioFormat.sampleRate),
      &frame.pointee.ch_layout, AVSampleFormat(frame.pointee.format), frame.pointee.sample_rate,
      0, nil)
    if swr_init(resampler) < 0 { swr_free(&resampler) }
  }

  /// What comes out of the resampler for a frame, or at the end for what it still holds.
  private func convert(_ frame: UnsafeMutablePointer<AVFrame>?) -> [Int16] {
    guard let resampler else { return [] }
    let input = frame?.pointee.nb_samples ?? 0
    let room = swr_get_out_samples(resampler, input)
    guard room > 0 else { return [] }
    return [Int16](unsafeUninitializedCapacity: Int(room)) { buffer, count in
      var target: UnsafeMutablePointer<UInt8>? = UnsafeMutableRawPointer(buffer.baseAddress)?
        .assumingMemoryBound(to: UInt8.self)
      let source = UnsafeMutableRawPointer(frame?.pointee.extended_data)?
        .assumingMemoryBound(to: UnsafePointer<UInt8>?.self)
      count = Int(max(0, swr_convert(resampler, &target, room, source, input)))
    }
  }
}
