package import Media
package import Receiving
package import Units

/// One peer's picture and sound at another's computer: a scripted decoder and window, and the real
/// jitter buffer with a scripted decoder behind a loudspeaker that takes 10 ms at a time.
package final class Viewer {
  package enum Verdict: Hashable, Sendable {
    /// The decoder refused the frame.
    case failed
    /// The picture is on the screen now.
    case shown(PictureSize)
  }

  package private(set) var figures = ViewingFigures()
  /// A picture was captured and is decoded, at these instants of world time.
  package var onDecoded: (_ capturedAt: Instant, _ decodedAt: Instant) -> Void = { _, _ in }
  private let name: String
  private let world: World
  private let clock: SimulatedClock
  /// Of the one who is seen and heard.
  private let studio: Studio
  private let findings: Findings
  private let sabotage: Sabotage?
  private let oldest: Interval
  private var pictures: PictureChecker
  private var skew: SkewChecker
  private var lastShow = Instant.zero
  private var shownAt: Instant?
  private var heldBack: (AssembledFrame, Instant?, (Verdict) -> Void)?

  private var buffer = AudioJitterBuffer()
  private var isOpen = false
  private var onPlayed: (Int64, Instant, Interval) -> Void = { _, _, _ in }
  private var onConcealed: (Int, Int) -> Void = { _, _ in }
  private var runs: [Run] = []
  private var newestPacket: UInt32 = 0
  /// The newest that was heard in time, and the newest that was not.
  private var freshPacket: UInt32?
  private var stalePacket: UInt32 = 0
  private var playedAt: Instant?
  /// Samples since the newest packet was heard.
  private var gapSamples = 0
  private var concealed = (samples: 0, of: 0)

  /// Samples that come from one packet, or from none.
  private struct Run {
    var sound: ScriptedSound?
    var rtpTimestamp: Int64 = 0
    /// Samples of the packet that were played already.
    var offset = 0
    var samples: Int
  }

  private static let decodingTime = Interval.milliseconds(3)
  private static let deviceDelay = Interval.milliseconds(20)
  private static let blockSamples = 480
  /// By what sound is stretched: the period of a voice of 200 Hz.
  private static let period = 240

  /// `oldest`: a picture that comes, or sound that is heard, later after its capture is a finding.
  /// `skewLimit` holds from `since` on.
  package init(
    _ name: String, world: World, clock: SimulatedClock, of studio: Studio,
    oldest: Interval = .seconds(3), skewLimit: Interval = .milliseconds(40),
    since: Instant = .zero, sabotage: Sabotage? = nil, findings: Findings
  ) {
    self.name = name
    self.world = world
    self.clock = clock
    self.studio = studio
    self.sabotage = sabotage
    self.oldest = oldest
    self.findings = findings
    pictures = PictureChecker(
      name, camera: studio.cameraID, oldest: oldest, findings: findings)
    skew = SkewChecker(name, limit: skewLimit, since: since, findings: findings)
  }

  // MARK: Pictures

  /// Decodes at once and shows at `showAt` (world time), or as soon as it is decoded; not at all
  /// where that is `nil`.
  package func decode(
    _ frame: AssembledFrame, showAt: Instant?, then tell: @escaping (Verdict) -> Void
  ) {
    switch sabotage {
    case .frameDropped where figures.shown == 50:
      figures.shown += 1
      return
    case .frameDoubled where figures.shown == 50: decode(frame.bytes, showAt, tell)
    case .framesSwapped where figures.shown == 50 && heldBack == nil:
      heldBack = (frame, showAt, tell)
      return
    case .showsSwapped where figures.shown == 50:
      decode(frame.bytes, (showAt ?? world.now) + .seconds(1), tell)
      return
    default: break
    }
    decode(spoilt(frame.bytes), showAt, tell)
    if let (held, showAt, tell) = heldBack {
      heldBack = nil
      decode(held.bytes, showAt, tell)
    }
  }

  /// A picture as a planted bug leaves it.
  private func spoilt(_ bytes: [UInt8]) -> [UInt8] {
    guard figures.shown == 50, var picture = ScriptedPicture(decoding: bytes) else { return bytes }
    switch sabotage {
    case .frameAltered: return bytes.dropLast() + [bytes[bytes.count - 1] ^ 1]
    case .frameInvented: picture.number += 1_000_000
    case .frameOfAnother: picture.camera &+= 1
    default: return bytes
    }
    return picture.encoded(count: bytes.count)
  }

  private func decode(
    _ bytes: [UInt8], _ showAt: Instant?, _ tell: @escaping (Verdict) -> Void
  ) {
    let delay: Interval = sabotage == .frameStale ? .seconds(10) : .zero
    let isRight = pictures.decode(bytes, isShown: showAt != nil, at: world.now) {
      studio.captureTime(ofPicture: $0).map { $0 - delay }
    }
    guard isRight, let picture = pictures.newest else {
      world.schedule(after: Self.decodingTime) { tell(.failed) }
      return
    }
    studio.film?.decode(picture.number, isShown: showAt != nil)
    guard let showAt else {
      figures.passedOver += 1
      return
    }
    if showAt < lastShow {
      findings.report(
        "picture", "\(name): picture \(picture.number) is to be shown before its elder")
    }
    lastShow = showAt
    figures.shown += 1
    if let captured = studio.captureTime(ofPicture: picture.number) {
      figures.decodedBytes += ByteCount(bytes.count)
      onDecoded(captured, world.now + Self.decodingTime)
    }
    world.schedule(at: max(showAt, world.now + Self.decodingTime)) { [self] in
      show(picture)
      tell(.shown(picture.size))
    }
  }

  private func show(_ picture: ScriptedPicture) {
    let now = world.now
    if let shownAt {
      let gap = now - shownAt
      figures.longestGap = max(figures.longestGap, gap)
      if gap > .milliseconds(150) {
        figures.freezes += 1
        figures.frozen = figures.frozen + gap
      }
    } else if figures.firstShownAt == nil {
      figures.firstShownAt = now
    }
    shownAt = now
    figures.lastShownAt = now
    figures.size = picture.size
    guard let captured = studio.captureTime(ofPicture: picture.number) else { return }
    figures.delays.add(now - captured)
    let late: Interval = sabotage == .soundLate ? .milliseconds(-200) : .zero
    skew.shown(capturedAt: captured, at: now + late)
  }

  /// The one who is seen has come back.
  package func reopen() { pictures.reopen() }

  /// The pictures stop in order until the next one: that is no freeze.
  package func pausePictures() { shownAt = nil }

  // MARK: Sound

  package func open(
    onPlayed: @escaping (Int64, Instant, Interval) -> Void,
    onConcealed: @escaping (Int, Int) -> Void
  ) {
    self.onPlayed = onPlayed
    self.onConcealed = onConcealed
    guard !isOpen else { return }
    isOpen = true
    var blocks = 0
    world.repeat(every: .milliseconds(10)) { [weak self] in
      guard let self, isOpen else { return false }
      if isSuspended { return true }
      playBlock()
      blocks += 1
      if blocks % 100 == 0 { reportConcealed() }
      return true
    }
  }

  package func close() { isOpen = false }

  /// The whole process stands still: nothing is played.
  package var isSuspended = false

  package func take(_ packet: AudioPacket) { buffer.insert(packet) }
  package func hold(_ interval: Interval) { buffer.hold = interval }

  private func playBlock() {
    let now = clock.local(world.now)
    // As `Voice` does after a stop.
    if let playedAt, now - playedAt > .milliseconds(300) { runs.removeAll() }
    playedAt = now
    while runs.reduce(0, { $0 + $1.samples }) < Self.blockSamples { pull(at: now) }
    if let run = runs.first, let sound = run.sound {
      let played = Interval.seconds(Double(run.offset) / 48_000)
      if let captured = studio.captureTime(ofPacket: sound.number) {
        let heardAt = world.now + Self.deviceDelay
        skew.heard(capturedAt: captured + played, at: heardAt)
        figures.lastHeardAt = heardAt
        figures.lastSoundDelay = heardAt - captured - played
        figures.soundDelays.add(heardAt - captured - played)
        checkAge(of: sound.number, heardAt - captured - played)
      }
      onPlayed(run.rtpTimestamp + Int64(run.offset), now, Self.deviceDelay)
    }
    var left = Self.blockSamples
    while left > 0 {
      let taken = min(left, runs[0].samples)
      runs[0].samples -= taken
      runs[0].offset += taken
      left -= taken
      if runs[0].samples == 0 { runs.removeFirst() }
    }
  }

  private func checkAge(of packet: UInt32, _ age: Interval) {
    let age = sabotage == .soundStale && freshPacket != nil ? age + .seconds(4) : age
    // Before anything came in time nobody can tell that it is late.
    guard age > oldest else {
      freshPacket = packet
      return
    }
    guard freshPacket != nil, packet != stalePacket else { return }
    stalePacket = packet
    findings.report("sound", "\(name): packet \(packet) is heard \(age.milliseconds) ms late")
  }

  private func pull(at now: Instant) {
    let pending = runs.reduce(0) { $0 + $1.samples }
    switch buffer.pull(pending: pending, at: now) {
    case .decode(let packet, let pace):
      guard let sound = heard(packet.bytes) else { return }
      var samples = packet.samples
      switch pace {
      case .asIs: break
      case .longer:
        samples += Self.period
        figures.stretchedSamples += Self.period
      case .shorter:
        samples -= Self.period
        figures.stretchedSamples += Self.period
      }
      append(sound, timestamp: packet.rtpTimestamp, samples: samples)
    case .recover(let packet, let samples):
      guard var sound = ScriptedSound(decoding: packet.bytes) else { return }
      guard sound.hasRedundancy else { return conceal(samples) }
      sound.number -= 1
      figures.recovered += 1
      append(sound, timestamp: packet.rtpTimestamp - Int64(samples), samples: samples)
    case .conceal(let samples): conceal(samples)
    case .silence(let samples):
      if figures.playedPackets > 0 {
        figures.silentSamples += samples
        extendGap(samples)
      }
      runs.append(Run(samples: samples))
    }
  }

  private func conceal(_ samples: Int) {
    figures.concealedSamples += samples
    extendGap(samples)
    concealed.samples += samples
    concealed.of += samples
    runs.append(Run(samples: samples))
  }

  private func extendGap(_ samples: Int) {
    gapSamples += samples
    figures.longestSoundGap = max(
      figures.longestSoundGap, .seconds(Double(gapSamples) / 48_000))
  }

  private func append(_ sound: ScriptedSound, timestamp: Int64, samples: Int) {
    if sound.number <= newestPacket {
      findings.report("sound", "\(name): packet \(sound.number) after \(newestPacket)")
    }
    newestPacket = max(newestPacket, sound.number)
    figures.playedPackets += 1
    figures.heardSamples += samples
    gapSamples = 0
    concealed.of += samples
    runs.append(Run(sound: sound, rtpTimestamp: timestamp, samples: samples))
  }

  /// A packet of sound as a planted bug leaves it.
  private func spoiltSound(_ bytes: [UInt8]) -> [UInt8] {
    guard figures.playedPackets == 100, var sound = ScriptedSound(decoding: bytes) else {
      return bytes
    }
    switch sabotage {
    case .soundAltered: return bytes.dropLast() + [bytes[bytes.count - 1] ^ 1]
    case .soundDoubled: sound.number -= 1
    case .soundOfAnother: sound.microphone &+= 1
    default: return bytes
    }
    return sound.encoded(count: bytes.count)
  }

  private func heard(_ bytes: [UInt8]) -> ScriptedSound? {
    guard let sound = ScriptedSound(decoding: spoiltSound(bytes)) else {
      findings.report("sound", "\(name): \(bytes.count) bytes that no microphone made")
      runs.append(Run(samples: Self.blockSamples))
      return nil
    }
    if sound.microphone != studio.cameraID {
      findings.report("sound", "\(name): a packet of microphone \(sound.microphone)")
    }
    return sound
  }

  private func reportConcealed() {
    onConcealed(concealed.samples, concealed.of)
    concealed = (0, 0)
  }

  // MARK: The end

  package func finish() {
    figures.skew = skew.percentile95
    skew.finish()
  }
}

/// What one saw and heard of another.
package struct ViewingFigures: Sendable {
  /// Pictures.
  package var shown = 0
  /// Decoded only, being too old.
  package var passedOver = 0
  package var firstShownAt: Instant?
  package var lastShownAt: Instant?
  package var size: PictureSize?
  /// Of the encoded pictures that were decoded.
  package var decodedBytes = ByteCount.zero
  /// Capture to screen.
  package var delays = WaitHistogram()
  /// Gaps over 150 ms, and their summed length.
  package var freezes = 0
  package var frozen = Interval.zero
  package var longestGap = Interval.zero
  package var lastHeardAt: Instant?
  package var lastSoundDelay = Interval.zero
  package var playedPackets = 0
  /// Of them, from the packet after.
  package var recovered = 0
  package var concealedSamples = 0
  /// After the first packet: nothing at all was played.
  package var silentSamples = 0
  /// From packets, recovered ones too.
  package var heardSamples = 0
  /// Put in or left out to change the delay.
  package var stretchedSamples = 0
  /// Concealed and silent in one piece.
  package var longestSoundGap = Interval.zero
  /// Capture to ear.
  package var soundDelays = WaitHistogram()
  /// 95 of 100 pictures were closer to their sound; known at the end.
  package var skew = Interval.zero
  package init() {}
}
