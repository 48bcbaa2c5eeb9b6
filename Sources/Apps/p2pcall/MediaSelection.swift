import AudioCodec
import CLinux
import Call
import CallRuntime
import Camera
import CommandLine
import Files
import Glibc
import Media
import Sound
import Units
import VideoCodec
import Window

/// The adapters that the options name. What was asked for by name must open, or the call does not
/// start (exit 7); what was chosen automatically is left out with a notice.
struct MediaSelection {
  var videoSource: (any VideoSource)?
  var audioSource: (any AudioSource)?
  /// How devices are opened again, after the camera was switched off or one failed.
  var reopenVideo: (@Sendable () throws(MediaError) -> any VideoSource)?
  var reopenAudio: (@Sendable () throws(MediaError) -> any AudioSource)?
  var reopenSpeaker: (@Sendable () throws(MediaError) -> any AudioSink)?
  var cleaning = SoundCleaning.none
  var videoSink: (any VideoSink)?
  var audioSink: (any AudioSink)?
  var windowModel: WindowModel?
  var notices: [String] = []
  /// A camera's self-view is shown as in a mirror.
  var isCamera = false

  init(_ options: JoinOptions, bounds: MediaBounds) throws {
    do {
      try chooseSources(options, bounds: bounds)
      try chooseView(options.view)
      audioSink = try sound(options.play)
      cleaning = wantedCleaning(isRaw: options.rawAudio)
    } catch let error as MediaError {
      throw Failure(.device, error.description)
    }
  }

  private mutating func chooseSources(_ options: JoinOptions, bounds: MediaBounds) throws {
    if case .file(let path) = options.video {
      // The same file as picture and sound is read once, and both stay in step.
      let isSoundToo = options.audio == .file(path: path)
      let clip = try clip(path, bounds: bounds, picture: true, sound: isSoundToo)
      videoSource = clip.video
      if isSoundToo { audioSource = clip.audio }
    } else {
      videoSource = try picture(options.video, bounds: bounds)
    }
    if audioSource == nil { audioSource = try soundSource(options.audio, bounds: bounds) }
  }

  private func clip(
    _ path: String, bounds: MediaBounds, picture: Bool, sound: Bool
  ) throws(MediaError) -> MediaFile {
    let clip = try MediaFile(
      path: path, limit: bounds.picture, framesPerSecond: bounds.framesPerSecond,
      wantsPicture: picture, wantsSound: sound)
    for (isWanted, isThere, what, option) in [
      (picture, clip.video != nil, "picture", "--video none"),
      (sound, clip.audio != nil, "sound", "--audio none"),
    ] where isWanted && !isThere {
      throw MediaError(
        .unsupported, "\(path) has no \(what)", remedy: "choose another file, or \(option)")
    }
    return clip
  }

  private mutating func picture(
    _ choice: VideoChoice, bounds: MediaBounds
  ) throws(MediaError) -> (any VideoSource)? {
    switch choice {
    case .automatic:
      do { return try camera(nil, bounds: bounds) } catch {
        notices.append("\(error.message): you send no picture")
        return nil
      }
    case .camera(let device): return try camera(device, bounds: bounds)
    case .pipe(let path): return try Y4MPipeSource(path: path)
    case .pattern:
      return try PatternSource(size: bounds.picture, framesPerSecond: bounds.framesPerSecond)
    case .file, .none: return nil
    }
  }

  private mutating func camera(
    _ device: String?, bounds: MediaBounds
  ) throws(MediaError) -> any VideoSource {
    let open = { @Sendable () throws(MediaError) -> any VideoSource in
      try V4L2Camera(
        device: device, wanted: bounds.picture, framesPerSecond: bounds.framesPerSecond)
    }
    let camera = try open()
    isCamera = true
    reopenVideo = open
    return camera
  }

  private mutating func microphone(_ device: String?) throws(MediaError) -> any AudioSource {
    let open = { @Sendable () throws(MediaError) -> any AudioSource in
      try ALSAMicrophone(device: device ?? "default")
    }
    let microphone = try open()
    reopenAudio = open
    return microphone
  }

  private mutating func soundSource(
    _ choice: AudioChoice, bounds: MediaBounds
  ) throws -> (any AudioSource)? {
    switch choice {
    case .automatic:
      do { return try microphone(nil) } catch {
        notices.append("\(error.message): you send no sound")
        return nil
      }
    case .microphone(let device): return try microphone(device)
    case .file(let path):
      return try clip(path, bounds: bounds, picture: false, sound: true).audio
    case .pipe(let path): return try PCMPipeSource(path: path)
    case .tone: return try ToneSource()
    case .none: return nil
    }
  }

  private mutating func chooseView(_ choice: ViewChoice) throws(MediaError) {
    switch choice {
    case .automatic:
      guard hasDisplay else { return }
      fallthrough
    case .window:
      let model = WindowModel()
      windowModel = model
      videoSink = model
    case .pipe(let path): videoSink = try Y4MPipeSink(path: path)
    case .none: break
    }
  }

  private var hasDisplay: Bool {
    for name in ["DISPLAY", "WAYLAND_DISPLAY"] where environmentVariable(name)?.isEmpty == false {
      return true
    }
    return false
  }

  private mutating func speaker(_ device: String?) throws(MediaError) -> any AudioSink {
    let open = { @Sendable () throws(MediaError) -> any AudioSink in
      try ALSASpeaker(device: device ?? "default")
    }
    let speaker = try open()
    reopenSpeaker = open
    return speaker
  }

  private mutating func sound(_ choice: PlayChoice) throws(MediaError) -> (any AudioSink)? {
    switch choice {
    case .automatic:
      do { return try speaker(nil) } catch {
        notices.append("\(error.message): you hear nothing")
        return nil
      }
    case .speaker(let device): return try speaker(device)
    case .file(let path): return try WAVFileSink(path: path)
    case .pipe(let path): return try PCMPipeSink(path: path)
    case .none: return nil
    }
  }

  /// What is no microphone is sent as it is, and what no loudspeaker plays has no echo.
  private func wantedCleaning(isRaw: Bool) -> SoundCleaning {
    guard !isRaw, audioSource is ALSAMicrophone else { return .none }
    return audioSink is ALSASpeaker ? .noiseAndEcho : .noise
  }

  func setup(_ bounds: MediaBounds) -> MediaSetup {
    let model = windowModel
    let processors = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    var preview: (@Sendable (VideoFrame) -> Void)?
    if let model { preview = { model.showSelf($0.picture) } }
    return MediaSetup(
      videoSource: videoSource, audioSource: audioSource, reopenVideo: reopenVideo,
      reopenAudio: reopenAudio, reopenSpeaker: reopenSpeaker, cleaning: cleaning,
      largestPicture: bounds.picture, videoSink: videoSink, audioSink: audioSink,
      preview: preview,
      makeVideoEncoder: { () throws(MediaError) in VP8Encoder(processors: processors) },
      makeVideoDecoder: { () throws(MediaError) in try VP8Decoder() },
      makeAudioEncoder: { () throws(MediaError) in try OpusSpeechEncoder() },
      makeAudioDecoder: { () throws(MediaError) in try OpusSpeechDecoder() })
  }
}

/// Upper bounds of what is sent: --quality, narrowed by --size, --fps and --max-bitrate.
struct MediaBounds: Hashable {
  var picture: PictureSize
  var framesPerSecond: Double
  var bitrate: Bitrate

  init(_ quality: QualityChoice) {
    switch quality {
    case .low:
      picture = PictureSize(width: 320, height: 240)
      framesPerSecond = 15
      bitrate = .kilobits(300)
    case .medium:
      picture = PictureSize(width: 640, height: 480)
      framesPerSecond = 30
      bitrate = .kilobits(1_200)
    case .high, .auto:
      picture = PictureSize(width: 1_280, height: 720)
      framesPerSecond = 30
      bitrate = .kilobits(3_000)
    }
  }

  init(_ options: JoinOptions) {
    self.init(options.quality)
    if let size = options.size { picture = size }
    if let fps = options.fps { framesPerSecond = Double(fps) }
    if let limit = options.maxBitrate { bitrate = limit }
  }
}

extension ReceiveBounds {
  init(_ choice: ReceiveChoice) {
    switch choice {
    case .quality(.auto): self.init()
    case .quality(let quality):
      let bounds = MediaBounds(quality)
      self.init(size: bounds.picture, bitrate: bounds.bitrate)
    case .size(let size): self.init(size: size)
    }
  }
}
