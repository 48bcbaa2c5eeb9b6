import CFFmpeg
import Media

/// An open media file: FFmpeg's demultiplexer, and for each wanted stream the packets that were
/// read while another stream was being served. Closed with this object.
final class ClipFile {
  private var context: UnsafeMutablePointer<AVFormatContext>?
  private var input: UnsafeMutablePointer<AVIOContext>?
  private let packet: UnsafeMutablePointer<AVPacket>
  private var waiting: [Int32: [UnsafeMutablePointer<AVPacket>]] = [:]
  private var waitingBytes = 0
  private var isAtEnd = false
  private let path: String
  /// A stream that lags this far behind another in the file is given up.
  private static let waitingLimit = 256 << 20

  init(_ path: String) throws(MediaError) {
    self.path = path
    guard let packet = av_packet_alloc() else { throw .outOfMemory }
    self.packet = packet
    let name = "file:" + path
    let opened = avio_open2(&input, name, AVIO_FLAG_READ, nil, nil)
    guard opened >= 0 else { throw Self.error(path, opened) }
    context = avformat_alloc_context()
    context?.pointee.pb = input
    var options: OpaquePointer?
    defer { av_dict_free(&options) }
    // This file and no other: a play list in disguise must not make it send what it names.
    av_dict_set(&options, "protocol_whitelist", "none", 0)
    let status = avformat_open_input(&context, name, nil, &options)
    guard status >= 0 else { throw Self.error(path, status) }
    let found = avformat_find_stream_info(context, nil)
    guard found >= 0 else { throw Self.error(path, found) }
  }

  deinit {
    for packets in waiting.values {
      for packet in packets {
        var packet: UnsafeMutablePointer<AVPacket>? = packet
        av_packet_free(&packet)
      }
    }
    var packet: UnsafeMutablePointer<AVPacket>? = packet
    av_packet_free(&packet)
    avformat_close_input(&context)
    avio_closep(&input)
  }

  private static func error(_ path: String, _ status: Int32) -> MediaError {
    var text = [CChar](repeating: 0, count: 128)
    av_strerror(status, &text, text.count)
    let reason = String(
      decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    switch status {
    case -ENOENT:
      return MediaError(.absent, "there is no file \(path)", remedy: "check the name")
    case -EACCES:
      return MediaError(.denied, "\(path) may not be read", remedy: "check its permissions")
    case -EISDIR:
      return MediaError(.unsupported, "\(path) is a directory", remedy: "name a media file")
    default:
      return MediaError(
        .malformed, "\(path) cannot be read as a media file (\(reason))",
        remedy: "try whether ffplay can play it")
    }
  }

  /// The best stream of a kind, to be decoded from now on; `nil` when there is none.
  func stream(_ kind: AVMediaType) -> UnsafeMutablePointer<AVStream>? {
    let index = av_find_best_stream(context, kind, -1, -1, nil, 0)
    guard index >= 0, let stream = context?.pointee.streams[Int(index)] else { return nil }
    waiting[index] = []
    return stream
  }

  /// The time that all streams count from, in µs.
  var start: Int64 {
    let start = context?.pointee.start_time ?? p2p_av_no_timestamp
    return start == p2p_av_no_timestamp ? 0 : start
  }

  /// The next packet of a stream, to be freed by the caller; `nil` at the end.
  func packet(of index: Int32) -> UnsafeMutablePointer<AVPacket>? {
    while waiting[index]?.isEmpty ?? false, !isAtEnd {
      // Errors in the middle end the clip there; what came before has been shown.
      guard av_read_frame(context, packet) >= 0 else {
        isAtEnd = true
        break
      }
      defer { av_packet_unref(packet) }
      guard waiting[packet.pointee.stream_index] != nil, let copy = av_packet_clone(packet) else {
        continue
      }
      waiting[packet.pointee.stream_index]?.append(copy)
      waitingBytes += Int(copy.pointee.size)
      if waitingBytes > Self.waitingLimit { isAtEnd = true }
    }
    guard let first = waiting[index]?.first else { return nil }
    waiting[index]?.removeFirst()
    waitingBytes -= Int(first.pointee.size)
    return first
  }
}

extension MediaError {
  /// A large picture that does not fit is the user's to know, not a crash.
  static let outOfMemory = MediaError(
    .failed, "there is no memory left for the file", remedy: "end other programs, then try again")
}
