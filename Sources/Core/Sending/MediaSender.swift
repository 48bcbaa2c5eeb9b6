package import Media
package import Units
import Wire

/// Sends one peer's share of picture and sound: Packetizing → Repair → Congestion → Pacing.
///
/// Feed it with `handle`, drain `nextOutput()` until it returns `nil`, call again at
/// `nextDeadline`. Ask `wantsVideo` before encoding a picture for this peer.
package struct MediaSender: Sendable {
  private let configuration: SendingConfiguration
  private var frames = FrameQueue()
  private var videoPacketizer: VideoPacketizer
  private var audioPacketizer: AudioPacketizer
  private var redundancy = AudioRedundancy()
  private var history: PacketHistory
  private var protection: FrameProtection
  private var congestion: CongestionControl
  private var budget = EncoderBudget()
  private var pacer: Pacer
  private var reports = SenderReports()
  private var tally = SendTally()
  private var outputs = OutputQueue<SendingOutput>()
  /// What the receiver told last, kept for its memory.
  private var told = RTCPCompound([])
  private var encoded = BufferRing(count: 64, room: MediaStream.packetLimit)

  /// Until the link tells.
  private var roundTrip = Interval.milliseconds(100)
  private var carrier = CarrierQueue()
  /// What waits there would be heard too late already.
  private var isCarrierLate = false
  private var hasBeenOnStream = false
  private var lastSentAt: Instant?
  /// Since when the receiver has been silent for so long that only sound and probes are sent.
  private var stalledSince: Instant?
  private var isStalled: Bool { stalledSince != nil }
  /// When a key frame was last asked for and none has come since.
  private var keyFrameAskedAt: Instant?
  /// When a packet of a key frame last left.
  private var keyFrameSentAt: Instant?
  private var isSendingKeyFrame = false
  /// When the first packet of the first picture left.
  private var firstVideoAt: Instant?
  private var audioAdvice: AudioAdvice?

  /// How long after that repair is sent twice, of how many bytes at most (more would crowd out what
  /// it is for), and up to which queue.
  private static let firstTime = Interval.milliseconds(1_000)
  private static let firstRepair = 8_000
  private static let firstQueue = Interval.milliseconds(20)
  /// What a key frame takes of the rate at most, and bytes of repair that are never too dear.
  private static let keyFrameTime = Interval.milliseconds(200)
  private static let cheapRepair = 12_000
  /// Of the target: how fast much repair leaves, but no slower than this rate.
  private static let repairFactor = 2.5
  private static let leastRepairRate = Bitrate.kilobits(1_000)
  /// In a tenth of a second at most this many times the target leaves, and so much: repairs on top of
  /// a large picture, at a pace that is meant for pictures alone, would be a burst.
  private static let burstFactor = 2.8
  private static let burst = ByteCount(6_000)
  /// After that sound only probes, a little oftener than a packet of a picture would: a line that stands
  /// still keeps what it is given, and that comes first when it moves on.
  private static let soundPatience = Interval.seconds(1)
  /// Sound older than that is not sent: THREATS R8.
  private static let staleSound = Interval.milliseconds(360)
  private static let probeInterval = Interval.milliseconds(200)
  private static let keyFrameRepeat = Interval.milliseconds(300)

  package init(
    _ configuration: SendingConfiguration = SendingConfiguration(), erasureCode: any ErasureCode
  ) {
    self.configuration = configuration
    videoPacketizer = VideoPacketizer(configuration)
    audioPacketizer = AudioPacketizer(configuration)
    history = PacketHistory(configuration)
    protection = FrameProtection(configuration, code: erasureCode)
    congestion = CongestionControl(configuration)
    pacer = Pacer(rate: congestion.pace)
  }

  /// What may be sent now, overhead included.
  package var target: Bitrate { congestion.target }

  /// A picture encoded now would be sent soon. Where it is false, not encoding costs one frame;
  /// encoding one that is then dropped costs a key frame.
  package var wantsVideo: Bool {
    !isStalled && !congestion.isWindowFull && !isCarrierFull && backlog < Self.backlogLimit
  }

  /// How long what waits here takes to leave.
  private var backlog: Interval {
    pacer.rate.duration(of: ByteCount(frames.byteCount + pacer.videoByteCount))
  }
  private static let backlogLimit = Interval.milliseconds(50)

  /// What may wait in the carrier below: enough to keep it busy until the next turn, no more, so
  /// that what waits can still be dropped here.
  private var carrierLimit: ByteCount {
    max(ByteCount(3_000), congestion.target.bytes(in: .milliseconds(25)))
  }

  /// What may wait there before sound waits here, where what is too old of it is dropped: on a slow
  /// path what is below would be heard seconds late.
  private var soundLimit: ByteCount {
    max(ByteCount(4_000), congestion.target.bytes(in: Self.soundWait))
  }
  /// The same as time, of what is more than a few packets.
  private static let soundWait = Interval.milliseconds(100)
  private static let fewPackets = ByteCount(500)

  /// What waits in the carrier below, as was told last, and what was given to it since.
  package var carrierQueue: ByteCount { carrier.size }
  private var isCarrierFull: Bool { carrierQueue > carrierLimit || isCarrierLate }

  // MARK: - Input

  package mutating func handle(_ input: SendingInput, at now: Instant) {
    switch input {
    case .video(let frame): take(frame, at: now)
    case .audio(let frame): take(frame, at: now)
    case .feedback(let bytes): receive(bytes, at: now)
    case .roundTrip(let interval):
      roundTrip = min(max(interval, .zero), .seconds(10))
      congestion.noteRoundTrip(roundTrip)
    case .queued(let count): carrier.tell(count, at: now)
    case .stream:
      hasBeenOnStream = true
      reports.beginAgain(at: now)
      congestion.beginLow()
      redundancy.beginStream()
    case .limit(let rate): congestion.limit = max(rate, configuration.minimumRate)
    case .source(let size, let framesPerSecond, let content):
      budget.setSource(size, framesPerSecond: framesPerSecond, content)
    case .pathChanged:
      congestion.forgetPath()
      carrier = CarrierQueue()
      resume(at: now)
    case .timeout: break
    }
    pump(at: now)
  }

  private mutating func take(_ frame: EncodedVideoFrame, at now: Instant) {
    budget.countFrame(frame, at: now)
    if frame.isKeyFrame {
      keyFrameAskedAt = nil
      // It makes everything before it superfluous; repair of that would only delay it.
      pacer.dropRepair()
      history.forget()
    }
    frames.append(frame, at: now)
    if frames.needsKeyFrame, wantsVideo { askForKeyFrame(at: now) }
  }

  private mutating func take(_ frame: EncodedAudioFrame, at now: Instant) {
    // What an encoder had in hand while this process stood still is of another time.
    guard now - frame.capturedAt <= Self.staleSound else { return }
    if let stalledSince, now - stalledSince > Self.soundPatience, let lastSentAt,
      now - lastSentAt < Self.probeInterval * 0.7
    {
      return
    }
    let room = SoundShare(of: congestion.target).packetRoom(
      frame, overhead: configuration.overhead)
    guard
      let packet = audioPacketizer.packet(
        of: frame, distances: redundancy.distances(affordable: room))
    else { return }
    pacer.append(paced(packet, as: .audio))
  }

  private mutating func receive(_ bytes: ArraySlice<UInt8>, at now: Instant) {
    guard (try? told.decode(bytes)) != nil else { return }
    for packet in told.packets {
      switch packet {
      case .nack(let nack) where nack.source == MediaStream.Source.video:
        for number in nack.lost { repair(number, at: now) }
      case .pictureLoss(let loss) where loss.source == MediaStream.Source.video:
        // One that is under way is not what the receiver missed.
        if frames.hasKeyFrame { continue }
        if let sent = keyFrameSentAt, now - sent < roundTrip { continue }
        askForKeyFrame(at: now)
      case .transportFeedback(let feedback):
        resume(at: now)
        congestion.handle(feedback, at: now)
        redundancy.handle(feedback, isOverflowing: congestion.isOverflowing)
        makeAnewWhatIsLost(at: now)
      case .nack, .pictureLoss, .senderReport, .receiverReport: break
      }
    }
  }

  /// The path is alive again. What was under way when it died is lost or stale: repairing it would
  /// delay the first fresh picture.
  private mutating func resume(at now: Instant) {
    guard let stalledSince else { return }
    congestion.resume(after: now - stalledSince)
    self.stalledSince = nil
    startOver()
  }

  /// With a key frame: nothing that was sent is repaired, nothing that waits is sent.
  private mutating func startOver() {
    pacer.dropRepair()
    history.forget()
    frames.breakChain()
  }

  /// What a full queue has lost, where its repair would cost more than a key frame: once for each loss,
  /// however long that queue stands.
  private mutating func makeAnewWhatIsLost(at now: Instant) {
    if isKeyFrameFresh(at: now) {
      congestion.forgetLostToQueue()
    } else if congestion.lostToQueue * MediaStream.packetLimit >= costly, !frames.needsKeyFrame {
      startOver()
    }
  }

  private mutating func repair(_ number: SequenceNumber, at now: Instant) {
    // What waits is not asked for again, and repair never takes more than half a second's worth.
    guard pacer.repairByteCount < congestion.target.bytes(in: .milliseconds(500)).bytes else {
      return
    }
    if pacer.repairByteCount >= costly, !isKeyFrameFresh(at: now) {
      startOver()
      return
    }
    // With a queue on the path an answer takes longer than the link's round trip.
    let wait = max(roundTrip, congestion.responseTime ?? .zero)
    // The first picture of all is waited for, and of the path's losses nothing is known yet; but a
    // narrow line that has lost it to a full queue must not be given it twice.
    let isFirst =
      firstVideoAt.map { now - $0 < Self.firstTime } ?? false
      && pacer.repairByteCount < Self.firstRepair
      && congestion.standingQueue < Self.firstQueue
    let isLossy =
      (isFirst || congestion.lossPattern.ratio > 0.02) && roundTrip > .milliseconds(20)
    for packet in history.repairs(number, roundTrip: wait, isLossy: isLossy, at: now) {
      pacer.append(paced(packet, as: .repair))
    }
  }

  /// Bytes of repair that are more than a key frame may take, which makes all of it superfluous.
  private var costly: Int {
    max(Self.cheapRepair, congestion.target.bytes(in: Self.keyFrameTime).bytes)
  }

  /// The newest one may itself be under repair: another in its place would begin anew, and on a path
  /// that loses much none would ever be whole.
  private func isKeyFrameFresh(at now: Instant) -> Bool {
    frames.hasKeyFrame || keyFrameSentAt.map { now - $0 < .seconds(1) + roundTrip * 3 } ?? false
  }

  private mutating func askForKeyFrame(at now: Instant) {
    if let asked = keyFrameAskedAt, now - asked < max(Self.keyFrameRepeat, roundTrip) { return }
    keyFrameAskedAt = now
    if let lasting = congestion.lasting {
      budget.beginAnew(lasting: lasting, overhead: configuration.overhead, at: now)
    }
    outputs.append(.keyFrameNeeded)
  }

  private func paced(
    _ packet: RTPPacket, as medium: Pacer.Medium, index: PacketIndex? = nil
  ) -> Pacer.Packet {
    let bytes = RTPPacket.headerCount + packet.payload.count + configuration.overhead.bytes
    return Pacer.Packet(medium: medium, index: index, packet: packet, size: ByteCount(bytes))
  }

  // MARK: - Output

  /// Everything that is due.
  private mutating func pump(at now: Instant) {
    watchForStall(at: now)
    pacer.rate = congestion.pace
    pacer.repairRate = max(congestion.target * Self.repairFactor, Self.leastRepairRate)
    pacer.window.limit =
      Self.burst + congestion.target.bytes(in: PaceWindow.span * Self.burstFactor)
    updateHold(at: now)
    while let packet = nextPacket(at: now) { send(packet, at: now) }
    if isStalled, mayProbe { probe(at: now) }
    if frames.needsKeyFrame, keyFrameAskedAt == nil, wantsVideo { askForKeyFrame(at: now) }
    sendReports(at: now)
    if let advice = budget.advise(
      target: congestion.target, overhead: configuration.overhead, at: now)
    {
      outputs.append(.encoder(advice))
    }
    adviseAudio()
  }

  private mutating func watchForStall(at now: Instant) {
    guard let at = congestion.stalls(roundTrip: roundTrip), at <= now else { return }
    stalledSince = stalledSince ?? now
  }

  /// A full carrier holds what would begin; a picture that was begun leaves whole, since half of one
  /// is worth nothing, up to where even sound would be too late.
  private mutating func updateHold(at now: Instant) {
    isCarrierLate = carrierQueue > Self.fewPackets && carrier.age(at: now) > Self.soundWait
    pacer.isBlocked = carrierQueue > soundLimit || isCarrierLate
    let mayGoOn = !isCarrierFull || !pacer.isReadyForFrame && carrierQueue <= soundLimit
    pacer.isHeld = isStalled || congestion.isWindowFull || !mayGoOn
  }

  private mutating func nextPacket(at now: Instant) -> Pacer.Packet? {
    if pacer.isReadyForFrame, !pacer.isHeld, let frame = frames.next(at: now) {
      isSendingKeyFrame = frame.isKeyFrame
      append(frame)
      tally.countFrame(frame)
    }
    return pacer.next(at: now)
  }

  /// A frame's packets, and its parity right behind them.
  private mutating func append(_ frame: EncodedVideoFrame) {
    let packets = videoPacketizer.packets(of: frame)
    for (index, packet) in packets { pacer.append(paced(packet, as: .video, index: index)) }
    let bare = pacer.videoByteCount
    let path = ParityPlan.Path(
      loss: congestion.lossPattern, roundTrip: roundTrip, standingQueue: congestion.standingQueue)
    for packet in protection.parity(of: packets, worth: ParityPlan.Worth(frame), on: path) {
      pacer.append(paced(packet, as: .parity))
    }
    budget.countParity(ByteCount(pacer.videoByteCount - bare), of: ByteCount(bare))
  }

  private mutating func send(_ paced: Pacer.Packet, at now: Instant) {
    var packet = paced.packet
    switch paced.medium {
    case .audio:
      reports.countAudio(packet, at: now)
      budget.countAudio(paced.size, at: now)
    case .repair:
      budget.countRepair(paced.size, at: now)
    case .parity: break
    case .video:
      firstVideoAt = firstVideoAt ?? now
      if isSendingKeyFrame { keyFrameSentAt = now }
      reports.countVideo(packet, at: now)
      if let index = paced.index { history.insert(packet, index: index, at: now) }
    }
    // What a stream keeps comes in order: ahead of a medium's first packet, and of the first on this
    // stream, the report tells from that on how old it is.
    if hasBeenOnStream, reports.isBeginning { sendReports(at: now) }
    tally.count(paced)
    let number = congestion.send(paced.size, at: now)
    packet.transportSequence = number
    if paced.medium == .audio { redundancy.noteSent(number) }
    carrier.give(
      paced.size - configuration.overhead + configuration.streamOverhead, at: now)
    lastSentAt = now
    outputs.append(.packet(encoded.make { packet.encode(to: &$0) }))
    updateHold(at: now)
  }

  private var mayProbe: Bool { !history.isEmpty && !isCarrierFull }

  /// Makes a silent receiver answer, where sound does not already do so.
  private mutating func probe(at now: Instant) {
    if let lastSentAt, now - lastSentAt < Self.probeInterval { return }
    guard let packet = history.probe() else { return }
    send(paced(packet, as: .repair), at: now)
  }

  private mutating func sendReports(at now: Instant) {
    guard reports.isDue(at: now) else { return }
    let compound = reports.compound(
      audioTimestamp: audioPacketizer.timestamp(at: now),
      videoTimestamp: videoPacketizer.timestamp(at: now), at: now)
    outputs.append(.report(compound.encoded))
  }

  private mutating func adviseAudio() {
    let advice = AudioAdvice(
      loss: congestion.lossRatio, copies: redundancy.copies,
      room: SoundShare(of: congestion.target).rate)
    if let audioAdvice, audioAdvice.isNear(advice) { return }
    audioAdvice = advice
    outputs.append(.audio(advice))
  }

  package mutating func nextOutput() -> SendingOutput? { outputs.next() }

  /// When a packet may leave, a report is due, or silence becomes a stall.
  package var nextDeadline: Deadline? {
    var deadline = reports.dueAt.map { Deadline("sender-report", at: $0) }
    if let at = pacer.nextSend(framesWait: !frames.isEmpty) {
      deadline = .earlier(deadline, Deadline("pacer", at: at))
    }
    if isStalled {
      if mayProbe, let lastSentAt {
        deadline = .earlier(deadline, Deadline("probe", at: lastSentAt + Self.probeInterval))
      }
    } else if let at = congestion.stalls(roundTrip: roundTrip) {
      deadline = .earlier(deadline, Deadline("stall", at: at))
    }
    return deadline
  }

  /// What was sent since this was last asked.
  package mutating func takeStatistics(at now: Instant) -> SendStatistics {
    var statistics = tally.take(at: now)
    statistics.target = congestion.target
    statistics.lossPercent = congestion.lossRatio * 100
    statistics.queueDelay = congestion.standingQueue
    statistics.droppedFrames = frames.droppedCount
    return statistics
  }
}
