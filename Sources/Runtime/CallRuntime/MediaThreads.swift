package import Call
package import Media
package import Runtime
import Units
import Wire

/// What is done to our sound before it is sent.
package enum SoundCleaning: Hashable, Sendable {
  /// Nothing: files, pipes and tones, and `--raw-audio`.
  case none
  /// A microphone whose owner hears nothing here: steady noise is turned down, speech is brought to
  /// one level.
  case noise
  /// A microphone beside a loudspeaker: its echo is taken out, too.
  case noiseAndEcho
}

/// The adapters of a call, each behind its role; `nil` where the user wants none.
package struct MediaSetup: Sendable {
  package var videoSource: (any VideoSource)?
  package var audioSource: (any AudioSource)?
  /// Open the device again; `nil` where it is none.
  package var reopenVideo: (@Sendable () throws(MediaError) -> any VideoSource)?
  package var reopenAudio: (@Sendable () throws(MediaError) -> any AudioSource)?
  package var reopenSpeaker: (@Sendable () throws(MediaError) -> any AudioSink)?
  package var cleaning: SoundCleaning
  /// The largest picture that is sent; the source's may be larger.
  package var largestPicture: PictureSize
  package var videoSink: (any VideoSink)?
  package var audioSink: (any AudioSink)?
  /// Gets each picture of our own source, for the self-view.
  package var preview: (@Sendable (VideoFrame) -> Void)?
  package var makeVideoEncoder: @Sendable () throws(MediaError) -> any VideoEncoder
  package var makeVideoDecoder: @Sendable () throws(MediaError) -> any VideoDecoder
  package var makeAudioEncoder: @Sendable () throws(MediaError) -> any AudioEncoder
  package var makeAudioDecoder: @Sendable () throws(MediaError) -> any AudioDecoder

  package init(
    videoSource: (any VideoSource)?, audioSource: (any AudioSource)?,
    reopenVideo: (@Sendable () throws(MediaError) -> any VideoSource)?,
    reopenAudio: (@Sendable () throws(MediaError) -> any AudioSource)?,
    reopenSpeaker: (@Sendable () throws(MediaError) -> any AudioSink)?,
    cleaning: SoundCleaning, largestPicture: PictureSize,
    videoSink: (any VideoSink)?, audioSink: (any AudioSink)?,
    preview: (@Sendable (VideoFrame) -> Void)?,
    makeVideoEncoder: @escaping @Sendable () throws(MediaError) -> any VideoEncoder,
    makeVideoDecoder: @escaping @Sendable () throws(MediaError) -> any VideoDecoder,
    makeAudioEncoder: @escaping @Sendable () throws(MediaError) -> any AudioEncoder,
    makeAudioDecoder: @escaping @Sendable () throws(MediaError) -> any AudioDecoder
  ) {
    self.videoSource = videoSource
    self.audioSource = audioSource
    self.reopenVideo = reopenVideo
    self.reopenAudio = reopenAudio
    self.reopenSpeaker = reopenSpeaker
    self.cleaning = cleaning
    self.largestPicture = largestPicture
    self.videoSink = videoSink
    self.audioSink = audioSink
    self.preview = preview
    self.makeVideoEncoder = makeVideoEncoder
    self.makeVideoDecoder = makeVideoDecoder
    self.makeAudioEncoder = makeAudioEncoder
    self.makeAudioDecoder = makeAudioDecoder
  }
}

/// The threads between devices and the conference: it starts them, hands them the conference's
/// orders, and ends them. Only the network thread uses it.
package final class MediaThreads {
  private let setup: MediaSetup
  private let inbox: OrderedMailbox<ConferenceInput>
  private let sink: SharedSink?
  private let picture: PictureThread?
  private let soundIn: SoundInThread?
  private let soundOut: SoundOutThread?
  private var decoders: [SessionID: (thread: DecodeThread, handle: Thread)] = [:]
  private var handles: [Thread] = []

  package init(
    _ setup: MediaSetup, inbox: OrderedMailbox<ConferenceInput>
  ) throws(SystemError) {
    self.setup = setup
    self.inbox = inbox
    sink = setup.videoSink.map { SharedSink($0) }
    picture = try setup.videoSource.map { source throws(SystemError) in
      try PictureThread(
        source: source, reopen: setup.reopenVideo, largest: setup.largestPicture,
        makeEncoder: setup.makeVideoEncoder, preview: setup.preview, report: { inbox.post($0) })
    }
    let played = setup.cleaning == .noiseAndEcho ? PlayedSound() : nil
    soundIn = try setup.audioSource.map { source throws(SystemError) in
      try SoundInThread(
        source: source, reopen: setup.reopenAudio, cleaning: setup.cleaning, played: played,
        makeEncoder: setup.makeAudioEncoder, report: { inbox.post($0) })
    }
    soundOut = try setup.audioSink.map { sink throws(SystemError) in
      try SoundOutThread(
        sink: sink, reopen: setup.reopenSpeaker, played: played,
        makeDecoder: setup.makeAudioDecoder, report: { inbox.post($0, wakes: !$0.mayWait) })
    }
  }

  /// Starts the sources; decoders start with their peers.
  package func start() throws(SystemError) {
    if let picture { handles += try picture.start() }
    if let soundIn { handles.append(try soundIn.start()) }
    if let soundOut { handles.append(try soundOut.start()) }
  }

  package func perform(_ output: ConferenceOutput) {
    switch output {
    case .expectVideo: picture?.expectOrder()
    case .encodeVideo(let rendition, let order): picture?.order(rendition, order)
    case .holdVideo(let rendition, let isHeld): picture?.hold(rendition, isHeld)
    case .keyFrame(let rendition): picture?.wantKeyFrame(rendition)
    case .encodeAudio(let order): soundIn?.order(order)
    case .openCamera: picture?.turn(on: true)
    case .closeCamera: picture?.turn(on: false)
    case .openMicrophone: soundIn?.reopen()
    case .decode(let session, let frame, let showAt):
      decoders[session]?.thread.decode(frame, showAt: showAt)
    case .audio(let session, let packet): soundOut?.add(packet, of: session)
    case .audioHold(let session, let hold): soundOut?.hold(hold, of: session)
    case .announced(let session, let size, let rate):
      sink?.announce(size, framesPerSecond: rate, of: session.description)
    case .openPeer(let session): open(session)
    case .closePeer(let session): close(session)
    default: break
    }
  }

  private func open(_ session: SessionID) {
    guard decoders[session] == nil else { return }
    soundOut?.open(session)
    do {
      let thread = try DecodeThread(
        session: session, sink: sink, makeDecoder: setup.makeVideoDecoder,
        report: { [inbox] in inbox.post($0) })
      decoders[session] = (thread, try thread.start())
    } catch {
      let failure = MediaError(
        .failed, "pictures cannot be decoded: \(error)",
        remedy: "end other programs, or raise the limit of threads (ulimit -u)")
      inbox.post(.deviceFailed(.view, failure))
    }
  }

  private func close(_ session: SessionID) {
    soundOut?.close(session)
    guard let decoder = decoders.removeValue(forKey: session) else { return }
    decoder.thread.stop()
    handles.append(decoder.handle)
  }

  /// Ends all threads and waits for them; devices are released then.
  package func stop() {
    for session in Array(decoders.keys) { close(session) }
    picture?.stop()
    soundIn?.stop()
    soundOut?.stop()
    for handle in handles { handle.join() }
    handles = []
  }
}

extension ConferenceInput {
  /// How playing goes is told along with whatever happens next, a packet of that sound at the latest:
  /// waking the network thread costs more than all that it then does.
  fileprivate var mayWait: Bool {
    switch self {
    case .audioPlayed, .audioConcealed: true
    default: false
    }
  }
}
