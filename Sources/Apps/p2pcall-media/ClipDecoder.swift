import CFFmpeg
import Media

/// Decodes one stream of a clip, frame by frame.
final class ClipDecoder {
  let stream: UnsafeMutablePointer<AVStream>
  private let file: ClipFile
  private var context: UnsafeMutablePointer<AVCodecContext>?
  private var frame: UnsafeMutablePointer<AVFrame>?
  private var isDraining = false

  /// `nil` where FFmpeg has no decoder for the stream.
  init?(_ stream: UnsafeMutablePointer<AVStream>, of file: ClipFile) {
    self.stream = stream
    self.file = file
    let parameters = stream.pointee.codecpar
    guard let parameters, let codec = avcodec_find_decoder(parameters.pointee.codec_id) else {
      return nil
    }
    context = avcodec_alloc_context3(codec)
    frame = av_frame_alloc()
    guard avcodec_parameters_to_context(context, parameters) >= 0 else { return nil }
    context?.pointee.pkt_timebase = stream.pointee.time_base
    // Real time needs no more, and more threads hold more pictures.
    context?.pointee.thread_count = parameters.pointee.height > 1_080 ? 2 : 1
    guard avcodec_open2(context, codec, nil) >= 0 else { return nil }
  }

  deinit {
    av_frame_free(&frame)
    avcodec_free_context(&context)
  }

  /// The next frame, valid until the next call; `nil` at the end. Damaged packets are left out.
  func next() -> UnsafeMutablePointer<AVFrame>? {
    while true {
      let status = avcodec_receive_frame(context, frame)
      if status >= 0 { return frame }
      guard status != p2p_av_error_eof, !isDraining else { return nil }
      if status != p2p_av_error_again { continueAfterDamage() }
      var packet = file.packet(of: stream.pointee.index)
      isDraining = packet == nil
      avcodec_send_packet(context, packet)
      av_packet_free(&packet)
    }
  }

  private func continueAfterDamage() { avcodec_flush_buffers(context) }

  /// When a frame is due, in µs since the clip's start; `nil` where the file does not say.
  func time(of frame: UnsafeMutablePointer<AVFrame>) -> Int64? {
    let timestamp = frame.pointee.best_effort_timestamp
    guard timestamp != p2p_av_no_timestamp else { return nil }
    return av_rescale_q(timestamp, stream.pointee.time_base, AVRational(num: 1, den: 1_000_000))
      &- file.start
  }
}
