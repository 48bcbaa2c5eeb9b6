import Media
import Units
import Wire

/// What of the target is left for encoded pictures, and in which size they are worth encoding.
struct EncoderBudget {
  /// The source's size and rate, before scaling.
  private var source: (size: PictureSize, framesPerSecond: Double)?
  private var ladder = QualityLadder(.motion)
  private var audio = RateMeter(window: .milliseconds(1_000))
  private var repair = RateMeter(window: .milliseconds(1_000))
  /// Bytes of frames and of their parity, the newer ones counting more: what of a budget for both
  /// goes to parity follows from it at once, where its rate, measured, would lag behind and swing.
  private var protected = (frames: 0.0, parity: 0.0)
  /// How much larger than asked pictures come out, smoothed: VP8 overshoots on hard content.
  private var overshoot = 1.0
  private var lastFrameAt: Instant?
  private var advice: EncoderAdvice?
  private var advisedAt = Instant.zero

  /// A smaller change is not worth telling before a second has passed.
  private static let smallChange = 0.03
  private static let refresh = Interval.milliseconds(1_000)
  /// Of RTP and VP8 in a video packet.
  private static let headers = RTPPacket.headerCount + VP8Payload.descriptorCount
  private static let least = Bitrate.kilobits(40)
  /// What a frame's bytes count after the next: thirty frames are remembered.
  private static let protectionMemory = 0.967

  mutating func setSource(
    _ size: PictureSize, framesPerSecond: Double, _ content: PictureContent
  ) {
    source = (size, min(max(framesPerSecond, 1), 120))
    ladder = QualityLadder(content)
    advice = nil
  }

  mutating func countAudio(_ size: ByteCount, at now: Instant) { audio.add(size, at: now) }
  mutating func countRepair(_ size: ByteCount, at now: Instant) { repair.add(size, at: now) }

  /// A frame was cut into packets and given so much parity.
  mutating func countParity(_ parity: ByteCount, of frame: ByteCount) {
    protected.frames = protected.frames * Self.protectionMemory + Double(frame.bytes)
    protected.parity = protected.parity * Self.protectionMemory + Double(parity.bytes)
  }

  /// Parity for each byte of a frame's packets, 0…1.
  private var parityShare: Double {
    protected.frames > 0 ? min(protected.parity / protected.frames, 1) : 0
  }

  /// Learns from what the encoder made of the newest advice.
  mutating func countFrame(_ frame: EncodedVideoFrame, at now: Instant) {
    defer { lastFrameAt = now }
    guard let lastFrameAt, let advice, !frame.isKeyFrame else { return }
    let interval = min((now - lastFrameAt).seconds, 0.2)
    guard interval > 0.001 else { return }
    let made = Double(frame.bytes.count) * 8 / interval
    // Easy content undershoots: that is no debt to be repaid.
    let ratio = min(made / Double(max(advice.bitrate, Self.least).bitsPerSecond), 4)
    overshoot += (ratio - overshoot) * interval
  }

  /// A key frame is asked for, on a path that carries `lasting` once its queue has drained.
  mutating func beginAnew(lasting: Bitrate, overhead: ByteCount, at now: Instant) {
    guard let source else { return }
    let bitrate = bitrate(within: lasting, overhead: overhead, at: now)
    ladder.beginAnew(bitrate, source: source.size, framesPerSecond: source.framesPerSecond)
  }

  /// The advice, where it differs from the one before.
  mutating func advise(
    target: Bitrate, overhead: ByteCount, at now: Instant
  ) -> EncoderAdvice? {
    let repairShare = min(repair.rate(at: now), target * 0.5)
    let bitrate = bitrate(within: target - repairShare, overhead: overhead, at: now)
    var new = EncoderAdvice(bitrate: bitrate, size: nil, framesPerSecond: 0)
    if let source {
      ladder.update(bitrate, source: source.size, framesPerSecond: source.framesPerSecond, at: now)
      new.size = ladder.size(of: source.size)
      new.framesPerSecond = ladder.framesPerSecond(of: source.framesPerSecond)
    }
    if let old = advice, old.size == new.size, old.framesPerSecond == new.framesPerSecond {
      let change = abs(Double((new.bitrate - old.bitrate).bitsPerSecond))
      let isSmall = change < Double(old.bitrate.bitsPerSecond) * Self.smallChange
      if change == 0 || isSmall && now - advisedAt < Self.refresh { return nil }
    }
    advice = new
    advisedAt = now
    return new
  }

  private var frameRate: Double { ladder.framesPerSecond(of: source?.framesPerSecond ?? 30) }

  /// Of encoded pictures, where they, their parity and sound may take so much. Mutating only so that the
  /// meters are not copied: a method of a copy costs three allocations a picture.
  private mutating func bitrate(
    within rate: Bitrate, overhead: ByteCount, at now: Instant
  ) -> Bitrate {
    let pictures = (rate - audio.rate(at: now)) * (1 / (1 + parityShare))
    let wire = max(pictures, Self.least)
    // Each packet costs headers: count those that a picture of this budget takes.
    let perPacket = Double(Self.headers + overhead.bytes)
    let frameBytes = Double(wire.bitsPerSecond) / 8 / frameRate
    let packets = max(1, 0.5 + frameBytes / (Double(VideoPacketizer.partLimit) + perPacket))
    let payload = wire - Bitrate(bitsPerSecond: Int64(packets * perPacket * 8 * frameRate))
    return max(payload * (1 / min(max(overshoot, 1), 2)), Self.least)
  }
}
