import CVPX
import Glibc
import Media
import Units

/// One libvpx encoder of one size, at the stable address that libvpx demands.
final class VP8EncoderContext {
  let size: PictureSize
  private(set) var frameInterval: Interval
  /// Of 0…63: below it easy content would only cost bits.
  private static let bestQuantizer: UInt32 = 4
  /// How much finer each frame after a key frame may be than the one before it.
  private static let qualityStep: UInt32 = 6
  /// A fall of the rate to less than this part makes the next frame coarser, by so many steps for each
  /// time that the rate was e times as high.
  private static let fall = 0.8
  private static let fallSteps = 18.0
  /// Sum of squared errors of a macroblock's 256 pixels of luma below which it is not coded anew. With more
  /// than the first, what moves slowly is smeared.
  private static let staticThreshold = (moving: 1, still: 1_000)
  /// The finest quantiser of another scene after one that stood still, with few bits a pixel and with many.
  /// libvpx goes by how little the still scene took: such a frame had up to 42 times its share of the rate
  /// (docs/decisions, 10).
  private static let sceneQuantizer: (poor: UInt32, rich: UInt32) = (63, 50)
  private let context: UnsafeMutablePointer<vpx_codec_ctx_t>
  private var configuration = vpx_codec_enc_cfg_t()
  private var clock = FrameClock()
  private var buffer: VirtualBuffer

  init(_ settings: VideoEncoderSettings, threads: Int, cpuUsed: Int) throws(MediaError) {
    size = settings.size
    frameInterval = Self.interval(settings)
    buffer = VirtualBuffer(rate: .kilobits(Int64(Self.kilobits(settings.bitrate))))
    vpx_codec_enc_config_default(vpx_codec_vp8_cx(), &configuration, 0)
    configuration.g_w = UInt32(size.width)
    configuration.g_h = UInt32(size.height)
    configuration.g_threads = UInt32(size.pixels > 640 * 480 ? threads : 1)
    configuration.g_timebase = vpx_rational(num: 1, den: 1_000_000)
    configuration.g_lag_in_frames = 0
    configuration.g_error_resilient = UInt32(VPX_ERROR_RESILIENT_DEFAULT)
    configuration.kf_mode = VPX_KF_DISABLED
    configuration.rc_end_usage = VPX_CBR
    configuration.rc_min_quantizer = Self.bestQuantizer
    // At 56 hard content overshoots its rate twofold.
    configuration.rc_max_quantizer = 63
    // Above it libvpx, too, encodes frames that it then drops, and makes the next as coarse as it can:
    // 18 of 900 at 1 Mbit/s. Where there is no room, the sender holds the encoder.
    configuration.rc_dropframe_thresh = 0
    configuration.rc_undershoot_pct = 100
    configuration.rc_overshoot_pct = 15
    // In ms of the rate. With the usual second a scene change stands 340 ms in the sender's queue,
    // with this 200, for 0.1 dB (docs/decisions, 10).
    configuration.rc_buf_sz = UInt32(VirtualBuffer.capacity.milliseconds)
    configuration.rc_buf_initial_sz = configuration.rc_buf_sz
    configuration.rc_buf_optimal_sz = 180
    configuration.rc_target_bitrate = Self.kilobits(settings.bitrate)
    configuration.g_profile = VP8Profile.of(settings, after: nil).rawValue
    context = .allocate(capacity: 1)
    context.initialize(to: vpx_codec_ctx_t())
    try check(p2p_vp8_encoder_init(context, &configuration), "be started")
    try set(cpuUsed: cpuUsed)
    try control(VP8E_SET_STATIC_THRESHOLD, Self.staticThreshold.moving)
    try control(VP8E_SET_TOKEN_PARTITIONS, 0)
    try control(VP8E_SET_NOISE_SENSITIVITY, 0)
    try limitKeyFrames()
  }

  deinit {
    // Also right for a context whose initialisation failed: it then only reports an error.
    vpx_codec_destroy(context)
    context.deallocate()
  }

  /// Takes a new rate while encoding goes on; the size must be this encoder's.
  func apply(_ settings: VideoEncoderSettings) throws(MediaError) {
    let interval = Self.interval(settings)
    if interval != frameInterval {
      frameInterval = interval
      try limitKeyFrames()
    }
    let rate = Self.kilobits(settings.bitrate)
    let profile = VP8Profile.of(settings, after: VP8Profile(rawValue: configuration.g_profile))
    if rate != configuration.rc_target_bitrate || profile.rawValue != configuration.g_profile {
      try coarsen(forFall: Double(rate) / Double(max(1, configuration.rc_target_bitrate)))
      configuration.rc_target_bitrate = rate
      buffer.rate = .kilobits(Int64(rate))
      configuration.g_profile = profile.rawValue
      try check(vpx_codec_enc_config_set(context, &configuration), "change its rate")
    }
  }

  /// libvpx codes the first frame after a fall of the rate as finely as the one before: 27 shares large
  /// after one from 2400 to 100 kbit/s, 4.6 after one to 600, while a queue stands.
  private func coarsen(forFall part: Double) throws(MediaError) {
    guard clock.timestamp > .zero, part < Self.fall else { return }
    let coarser = try lastQuantizer() + UInt32(Self.fallSteps * log(1 / max(part, 0.001)))
    configuration.rc_min_quantizer = min(
      configuration.rc_max_quantizer, max(configuration.rc_min_quantizer, coarser))
  }

  /// Of 0…63.
  func lastQuantizer() throws(MediaError) -> UInt32 {
    var quantizer: Int32 = 0
    try check(
      p2p_vpx_control_get(context, Int32(VP8E_GET_LAST_QUANTIZER_64.rawValue), &quantizer),
      "tell its quantizer")
    return UInt32(max(0, quantizer))
  }

  /// libvpx has no call for it; but when the number of temporal layers changes, it sets the buffer of
  /// each to the initial size, and goes back to the rest of its state with the old number.
  private func fillBuffer(to level: Interval) throws(MediaError) {
    configuration.rc_buf_initial_sz = UInt32(level.milliseconds)
    configuration.ts_periodicity = 2
    configuration.ts_layer_id.1 = 1
    configuration.ts_rate_decimator.0 = 2
    configuration.ts_rate_decimator.1 = 1
    configuration.ts_target_bitrate.0 = configuration.rc_target_bitrate - 1
    configuration.ts_target_bitrate.1 = configuration.rc_target_bitrate
    for layers: UInt32 in [2, 1] {
      configuration.ts_number_layers = layers
      try check(vpx_codec_enc_config_set(context, &configuration), "have its buffer filled")
    }
  }

  func set(cpuUsed: Int) throws(MediaError) { try control(VP8E_SET_CPUUSED, cpuUsed) }

  /// The encoded picture, or `nil` when rate control dropped it.
  func encode(
    _ picture: Picture, at capturedAt: Instant, forceKeyFrame: Bool, step: StillScene.Step
  ) throws(MediaError) -> EncodedVideoFrame? {
    var image = vpx_image_t()
    vpx_img_wrap(
      &image, VPX_IMG_FMT_I420, UInt32(size.width), UInt32(size.height), 1,
      picture.storage.baseAddress?.assumingMemoryBound(to: UInt8.self))
    let isNewScene = step == .encodeAfterChange
    if isNewScene {
      let isRich = configuration.g_profile == VP8Profile.simple.rawValue
      configuration.rc_min_quantizer =
        isRich ? Self.sceneQuantizer.rich : Self.sceneQuantizer.poor
      try check(vpx_codec_enc_config_set(context, &configuration), "change its quality")
    }
    if step == .refresh { try control(VP8E_SET_STATIC_THRESHOLD, Self.staticThreshold.still) }
    if let level = buffer.begin(capturedAt: capturedAt, isNewScene: isNewScene) {
      try fillBuffer(to: level)
    }
    let (timestamp, duration) = clock.next(capturedAt: capturedAt, interval: frameInterval)
    try check(
      vpx_codec_encode(
        context, &image, timestamp.microseconds, UInt(duration.microseconds),
        forceKeyFrame ? vpx_enc_frame_flags_t(VPX_EFLAG_FORCE_KF) : 0, UInt(VPX_DL_REALTIME)),
      "take a picture")
    if step == .refresh { try control(VP8E_SET_STATIC_THRESHOLD, Self.staticThreshold.moving) }
    let encoded = packet(capturedAt: capturedAt)
    buffer.end(ByteCount(encoded?.bytes.count ?? 0), lasting: duration)
    if let encoded { try easeQuality(after: encoded) }
    return encoded
  }

  /// A picture that was captured then is not encoded: it shows nothing new.
  func pass(capturedAt: Instant) { clock.pass(capturedAt: capturedAt) }

  /// After a key frame, another scene or a fall of the rate, quality comes back in steps: libvpx would repair
  /// a small, coarse key frame in the very next frame, at up to thirty times that frame's share of the rate.
  private func easeQuality(after encoded: EncodedVideoFrame) throws(MediaError) {
    let start = encoded.isKeyFrame ? try lastQuantizer() : configuration.rc_min_quantizer
    let next = max(Self.bestQuantizer, start > Self.qualityStep ? start - Self.qualityStep : 0)
    guard next != configuration.rc_min_quantizer else { return }
    configuration.rc_min_quantizer = next
    try check(vpx_codec_enc_config_set(context, &configuration), "change its quality")
  }

  private func packet(capturedAt: Instant) -> EncodedVideoFrame? {
    var iterator: vpx_codec_iter_t?
    var encoded: EncodedVideoFrame?
    while let packet = vpx_codec_get_cx_data(context, &iterator) {
      guard packet.pointee.kind == VPX_CODEC_CX_FRAME_PKT else { continue }
      let frame = packet.pointee.data.frame
      encoded = EncodedVideoFrame(
        bytes: [UInt8](UnsafeRawBufferPointer(start: frame.buf, count: frame.sz)),
        isKeyFrame: frame.flags & UInt32(VPX_FRAME_IS_KEY) != 0,
        isDiscardable: frame.flags & UInt32(VPX_FRAME_IS_DROPPABLE) != 0,
        size: size, capturedAt: capturedAt)
    }
    return encoded
  }

  /// A key frame may take what 200 ms of the rate hold, so that it neither blocks the link for
  /// long nor falls to mush.
  private func limitKeyFrames() throws(MediaError) {
    let percent = 100 * 0.200 / frameInterval.seconds
    try control(VP8E_SET_MAX_INTRA_BITRATE_PCT, max(150, Int(percent)))
  }

  private static func interval(_ settings: VideoEncoderSettings) -> Interval {
    .seconds(1 / min(max(settings.framesPerSecond, 1), 240))
  }
  private static func kilobits(_ rate: Bitrate) -> UInt32 {
    UInt32(min(max(rate.bitsPerSecond / 1_000, 10), 100_000))
  }

  private func control(_ id: vp8e_enc_control_id, _ value: Int) throws(MediaError) {
    try check(p2p_vpx_control_int(context, Int32(id.rawValue), Int32(value)), "be set up")
  }
  private func check(_ status: vpx_codec_err_t, _ verb: String) throws(MediaError) {
    guard status != VPX_CODEC_OK else { return }
    let reason = vpx_codec_err_to_string(status).map { String(cString: $0) } ?? "no reason given"
    throw MediaError(
      .failed, "the VP8 encoder could not \(verb) at \(size) (\(reason))",
      remedy: "try another --size")
  }
}
