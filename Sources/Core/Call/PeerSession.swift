import Links
import Media
import Receiving
import Rooms
import Sending
import Units
import Wire

/// One other member: what was proved of it, its media both ways, and what the user was told.
///
/// Media goes out only while `gate` is open, and what comes in is decoded only after proof.
struct PeerSession {
  let session: SessionID
  private(set) var label: PeerLabel
  /// Its identity's key; `nil` until proved.
  private(set) var key: KeyFingerprint?
  private(set) var trust: TrustState?
  private(set) var gate = MediaGate()
  var link: LinkReport?
  /// What the peer said that it sends.
  var sendsAudio = false
  var sendsVideo = false

  /// What the peer wants of us at most.
  var asked: AskedBounds
  /// What it was told that we want of it; before that it sends what it likes.
  var told = ReceiveBounds()
  /// The full size of its picture; `nil` until it told.
  var announced: PictureSize?
  /// Where its pictures are shown, in pixels; `nil` where nobody said that this is all they are for.
  var place: PictureSize?
  var shownPart = ShownPart()

  private var sender: MediaSender
  private var carrier: LinkID?
  private var receiver: MediaReceiver
  /// What the sender last advised; `nil` until it did.
  private(set) var advice: EncoderAdvice?
  private(set) var adviceCount = 0
  private(set) var audioAdvice: AudioAdvice?
  /// What the peer gets, and what suits it: it changes to that at the next key frame.
  private(set) var rendition = Rendition.main
  var wantedRendition = Rendition.main
  /// When it was announced (the process had started by then).
  private let joinedAt: Instant
  private var hasShownFrame = false
  private var hasPlayedAudio = false
  private var concealed = (samples: 0, of: 0)
  /// As the sender was told last.
  private var outputs = OutputQueue<PeerOutput>()

  init(session: SessionID, erasureCode: any ErasureCode, joinedAt: Instant) {
    self.session = session
    self.joinedAt = joinedAt
    sender = MediaSender(erasureCode: erasureCode)
    receiver = MediaReceiver(erasureCode: erasureCode)
    label = PeerLabel(peer: session.description, name: "")
    asked = AskedBounds(at: joinedAt)
    gate.userJoined = true
  }

  var isProved: Bool { gate.isProved }

  var rosterEntry: RosterEntry {
    RosterEntry(
      label: label, trust: trust, link: link, sendsAudio: sendsAudio, sendsVideo: sendsVideo)
  }

  /// PROOF and IDENTITY were verified, and known_peers was asked.
  mutating func proved(
    _ key: KeyFingerprint, _ acquaintance: Acquaintance, isAdmitted: Bool
  ) {
    self.key = key
    trust = acquaintance.trustState
    label.name = acquaintance.shownName
    gate.isProved = true
    gate.isAdmitted = isAdmitted
    gate.isQuarantined = trust == .changed
  }

  /// The local user has left the call: nothing more of his goes out, not even what waits here.
  mutating func userLeft() { gate.userJoined = false }

  // MARK: Media out

  /// Whether a picture encoded now would soon leave for this peer. Mutating, so that it is asked for
  /// in place, which it is after every packet: Swift copies the whole session for a plain getter.
  var wantsVideo: Bool { mutating get { sender.wantsVideo } }
  /// Of everything that is sent.
  var target: Bitrate { sender.target }

  mutating func send(_ frame: EncodedVideoFrame, at now: Instant) {
    guard gate.isOpen else { return }
    if frame.isKeyFrame, frame.rendition == wantedRendition { rendition = wantedRendition }
    if frame.rendition == rendition { tell(.video(frame), at: now) }
  }

  mutating func send(_ frame: EncodedAudioFrame, at now: Instant) {
    guard gate.isOpen else { return }
    tell(.audio(frame), at: now)
    tell(.soundLeaves as ReceivingInput, at: now)
  }

  mutating func tell(_ input: SendingInput, at now: Instant) {
    sender.handle(input, at: now)
    drain()
  }

  /// The link that frames go on now. One on which nothing waits says nothing as long as nothing is
  /// given to it, so what was told of another must not hold back what could leave.
  mutating func carries(on link: LinkID?, at now: Instant, backlog: (SessionID) -> Int) {
    guard link != carrier else { return }
    carrier = link
    receiver.handle(.carrier(isStream: link?.carrier == .stream), at: now)
    if link?.carrier == .stream { tell(.stream, at: now) }
    carrierHolds(backlog(session), at: now)
  }

  /// So many bytes wait in the connection below: pictures are better dropped than queued there.
  mutating func carrierHolds(_ bytes: Int, at now: Instant) {
    guard isProved, bytes != sender.carrierQueue.bytes else { return }
    tell(.queued(ByteCount(bytes)), at: now)
  }

  // MARK: Media in

  mutating func receive(_ kind: FrameKind, _ bytes: ArraySlice<UInt8>, at now: Instant) {
    guard isProved, !gate.isQuarantined else { return }
    switch kind {
    case .rtp:
      receiver.handle(.packet(bytes), at: now)
    case .rtcp:
      // A compound packet may hold feedback for our sender and a report for our receiver.
      sender.handle(.feedback(bytes), at: now)
      receiver.handle(.report(bytes), at: now)
    default: return
    }
    drain()
  }

  mutating func tell(_ input: ReceivingInput, at now: Instant) {
    receiver.handle(input, at: now)
    drain()
  }

  mutating func roundTrip(_ interval: Interval, at now: Instant) {
    sender.handle(.roundTrip(interval), at: now)
    receiver.handle(.roundTrip(interval), at: now)
    drain()
  }

  mutating func shown(_ size: PictureSize, at now: Instant) {
    guard !hasShownFrame else { return }
    hasShownFrame = true
    let since = now - joinedAt
    outputs.append(
      .event(.firstFrame(label, since: since, width: size.width, height: size.height)))
  }

  mutating func audioPlayed(
    rtpTimestamp: Int64, at instant: Instant, deviceDelay: Interval, now: Instant
  ) {
    tell(
      .audioPlayed(rtpTimestamp: rtpTimestamp, at: instant, deviceDelay: deviceDelay), at: now)
    guard !hasPlayedAudio else { return }
    hasPlayedAudio = true
    outputs.append(.event(.firstAudio(label, since: now - joinedAt)))
  }

  mutating func soundConcealed(samples: Int, of played: Int) {
    concealed.samples += samples
    concealed.of += played
  }

  // MARK: Draining

  private mutating func drain() {
    while let output = sender.nextOutput() {
      switch output {
      case .packet(let bytes): give(.rtp, bytes)
      case .report(let bytes): give(.rtcp, bytes)
      case .encoder(let advice):
        self.advice = advice
        adviceCount += 1
      case .audio(let advice): audioAdvice = advice
      case .keyFrameNeeded: outputs.append(.keyFrame)
      }
    }
    while let output = receiver.nextOutput() {
      switch output {
      case .decode(let frame, let showAt): outputs.append(.decode(frame, showAt: showAt))
      case .audio(let packet): outputs.append(.audio(packet))
      case .audioHold(let hold): outputs.append(.audioHold(hold))
      case .report(let bytes): give(.rtcp, bytes)
      }
    }
  }

  /// Reports pass the gate as media does: they tell what was seen and heard, and when.
  private mutating func give(_ kind: FrameKind, _ bytes: [UInt8]) {
    if gate.isOpen { outputs.append(.frame(kind, bytes)) }
  }

  mutating func nextOutput() -> PeerOutput? { outputs.next() }

  var nextDeadline: Deadline? {
    mutating get {
      guard isProved else { return nil }
      let media = Deadline.earlier(sender.nextDeadline, receiver.nextDeadline)
      let bounds = Deadline.earlier(
        asked.dueAt.map { Deadline("asked bounds", at: $0) },
        shownPart.dueAt.map { Deadline("shown part", at: $0) })
      return .earlier(media, bounds)
    }
  }

  mutating func timeout(at now: Instant) {
    guard isProved else { return }
    if let deadline = sender.nextDeadline, deadline.at <= now {
      tell(.timeout as SendingInput, at: now)
    }
    if let deadline = receiver.nextDeadline, deadline.at <= now {
      tell(.timeout as ReceivingInput, at: now)
    }
  }

  /// What happened since the last time it was asked.
  mutating func statistics(at now: Instant) -> CallStatistics {
    var report = CallStatistics()
    report.path = link?.path ?? .reconnecting
    let sent = sender.takeStatistics(at: now)
    report.send.rate = sent.rate
    report.send.target = sent.target
    report.send.video = sent.video
    report.send.audio = sent.audio
    report.send.repair = sent.repair
    report.send.framesPerSecond = sent.framesPerSecond
    report.send.width = sent.size?.width ?? 0
    report.send.height = sent.size?.height ?? 0
    let received = receiver.takeStatistics(at: now)
    report.receive.rate = received.rate
    report.receive.framesPerSecond = received.framesPerSecond
    report.receive.width = received.size?.width ?? 0
    report.receive.height = received.size?.height ?? 0
    report.receive.lossPercent = received.lossPercent
    report.receive.jitter = received.jitter
    report.receive.freezes = received.freezes
    report.receive.frozen = received.frozen
    report.receive.audioVideoSkew = received.audioVideoSkew
    if concealed.of > 0 {
      report.receive.concealedPercent = 100 * Double(concealed.samples) / Double(concealed.of)
    }
    concealed = (0, 0)
    return report
  }
}

/// What a `PeerSession` wants done.
enum PeerOutput {
  case frame(FrameKind, [UInt8])
  case keyFrame
  case decode(AssembledFrame, showAt: Instant?)
  case audio(AudioPacket)
  case audioHold(Interval)
  case event(CallEvent)
}

extension Acquaintance {
  var shownName: String {
    switch self {
    case .known(let name, _), .new(let name), .changed(let name, _), .oneself(let name): name
    }
  }

  /// The four states that users and scripts are told.
  var trustState: TrustState {
    switch self {
    case .known(_, let isVerified): isVerified ? .verified : .known
    case .oneself: .known
    case .new: .new
    case .changed: .changed
    }
  }
}
