import CVPX
package import Media

/// VP8 by libvpx, one thread. Whatever the bytes hold, it throws and does not trap; a size above
/// `PictureSize.limit` is refused before anything is allocated for it.
///
/// After an error frames may still come out damaged: ask the sender for a key frame. One owner.
package final class VP8Decoder: VideoDecoder {
  private let context: UnsafeMutablePointer<vpx_codec_ctx_t>

  package init() throws(MediaError) {
    context = .allocate(capacity: 1)
    context.initialize(to: vpx_codec_ctx_t())
    // Threads spin-wait, and at 720p one decodes a frame in 2 ms.
    var configuration = vpx_codec_dec_cfg_t(threads: 1, w: 0, h: 0)
    let status = p2p_vp8_decoder_init(context, &configuration)
    guard status == VPX_CODEC_OK else {
      throw MediaError(
        .failed, "the VP8 decoder could not be started", remedy: "check the libvpx installation")
    }
  }

  deinit {
    vpx_codec_destroy(context)
    context.deallocate()
  }

  /// The picture that `frame` shows. An odd side is made even by repeating its last column or row.
  package func decode(_ frame: [UInt8]) throws(MediaError) -> Picture? {
    guard let image = try image(of: frame) else { return nil }
    guard let size = image.evenSize, size.isValid else {
      throw malformed("a picture of \(image.width)x\(image.height)")
    }
    return Picture(size: size) { image.copy(into: $0, size: size) }
  }

  /// The bytes of the decoded I420 picture at its coded size, chroma sides rounded up: what the
  /// VP8 test vectors' checksums are of. `nil` when the frame shows nothing.
  package func decodePlanes(_ frame: [UInt8]) throws(MediaError) -> [UInt8]? {
    try image(of: frame)?.bytes
  }

  private func image(of frame: [UInt8]) throws(MediaError) -> VP8Image? {
    try checkSize(of: frame)
    let status = frame.withUnsafeBufferPointer {
      vpx_codec_decode(context, $0.baseAddress, UInt32($0.count), nil, 0)
    }
    guard status == VPX_CODEC_OK else {
      let reason = vpx_codec_err_to_string(status).map { String(cString: $0) } ?? "no reason"
      throw malformed("a frame that libvpx refuses (\(reason))")
    }
    var iterator: vpx_codec_iter_t?
    var newest: VP8Image?
    while let image = vpx_codec_get_frame(context, &iterator) {
      newest = VP8Image(image.pointee)
    }
    return newest
  }

  /// RFC 6386 §9.1: a key frame has a start code and 14-bit sides after its 3-byte tag.
  private func checkSize(of frame: [UInt8]) throws(MediaError) {
    guard frame.count >= 3 else { throw malformed("a frame of \(frame.count) bytes") }
    guard frame[0] & 1 == 0 else { return }
    guard frame.count >= 10 else { throw malformed("a key frame of \(frame.count) bytes") }
    let width = (Int(frame[6]) | Int(frame[7]) << 8) & 0x3FFF
    let height = (Int(frame[8]) | Int(frame[9]) << 8) & 0x3FFF
    guard PictureSize.limit.contains(width), PictureSize.limit.contains(height) else {
      throw malformed("a picture of \(width)x\(height)")
    }
  }

  private func malformed(_ found: String) -> MediaError {
    MediaError(.malformed, "the peer sent \(found)", remedy: "a new key frame is needed")
  }
}
