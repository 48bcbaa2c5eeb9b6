package import Media
package import Units
import Wire

/// Receives one peer's picture and sound: Reassembly → LossReporting → JitterBuffer → Playout.
///
/// Feed it with `handle`, drain `nextOutput()` until it returns `nil`, call again at
/// `nextDeadline`. Bytes that break a format are dropped and counted.
package struct MediaReceiver: Sendable {
  private var arrivals = ArrivalLog()
  private var videoCount = ReceptionCount(clockRate: MediaStream.ClockRate.video)
  private var audioCount = ReceptionCount(clockRate: MediaStream.ClockRate.audio)
  private var videoClock = TimestampUnwrapper()
  private var audioClock = TimestampUnwrapper()
  private var audioSeen = IndexWindow()
  private var assembly = FrameAssembly()
  private var parity: ParityDecoder
  private var losses = LossTracker()
  private var order = FrameOrder()
  private var keyFrame = KeyFrameRequest()
  private var soundAge = MediaAge()
  private var pictureAge = MediaAge()
  private var peerClock = PeerClock()
  private var comesOnStream = false
  private var pictureShownAt: Instant?
  private var sync = LipSync()
  private var shown = ShowLog()
  private var outputs = OutputQueue<ReceivingOutput>()
  private var encoded = BufferRing(count: 16, room: 256)
  /// Opus packets, for as long as the jitter buffer keeps them.
  private var sounds = BufferRing(count: 64, room: 256)

  private var roundTrip: Interval { toldRoundTrip ?? .milliseconds(100) }
  /// By the link.
  private var toldRoundTrip: Interval?
  /// When the next receiver report is due; `nil` before the first packet.
  private var reportAt: Instant?
  private var takenAt: Instant?
  private var received = ByteCount.zero
  private var size: PictureSize?
  /// Packets and reports that broke a format, since the beginning.
  package private(set) var refused = 0

  /// No packet of the peer's is longer: more would only cost memory.
  private static let packetLimit = 1_500
  private static let reportInterval = Interval.milliseconds(1_000)

  package init(erasureCode: any ErasureCode) { parity = ParityDecoder(code: erasureCode) }

  // MARK: - Input

  package mutating func handle(_ input: ReceivingInput, at now: Instant) {
    switch input {
    case .packet(let bytes): take(bytes, at: now)
    case .report(let bytes): takeReport(bytes, at: now)
    case .audioPlayed(let timestamp, let at, let deviceDelay):
      sync.noteAudioHeard(timestamp, at: at + deviceDelay, now: now)
    case .decodeFailed:
      order.breakChain()
      keyFrame.noteHopeless(at: now)
    case .roundTrip(let interval):
      toldRoundTrip = min(max(interval, .zero), .seconds(10))
      soundAge.note(roundTrip: roundTrip, at: now)
      pictureAge.note(roundTrip: roundTrip, at: now)
    case .clock(let time, let roundTrip):
      peerClock.note(NTPTime.interval(time), roundTrip: roundTrip, at: now)
      peerClock.tell(sound: &soundAge, pictures: &pictureAge, sync, at: now)
    case .carrier(let isStream): comesOnStream = isStream
    case .soundLeaves: arrivals.noteLeaving(at: now)
    case .timeout: break
    }
    pump(at: now)
  }

  private mutating func take(_ bytes: ArraySlice<UInt8>, at now: Instant) {
    guard bytes.count <= Self.packetLimit, let packet = try? RTPPacket(decoding: bytes) else {
      refused += 1
      return
    }
    received += ByteCount(bytes.count)
    if reportAt == nil { reportAt = now + Self.reportInterval }
    let isAudio = packet.source == MediaStream.Source.audio
    if let number = packet.transportSequence {
      let gap = arrivals.insert(number, isVideo: !isAudio, at: now)
      // Numbers of pictures tell themselves what is missing of them.
      if isAudio { losses.suspect(gap, at: now) }
    }
    switch (packet.source, packet.payloadType) {
    case (MediaStream.Source.audio, MediaStream.PayloadType.opus),
      (MediaStream.Source.audio, MediaStream.PayloadType.redundantOpus):
      takeAudio(packet, at: now)
    case (MediaStream.Source.video, MediaStream.PayloadType.vp8):
      takeVideo(packet, index: videoCount.insert(packet, at: now), isRepair: false, at: now)
    case (MediaStream.Source.videoRepair, MediaStream.PayloadType.vp8Repair):
      takeRepair(packet, at: now)
    case (MediaStream.Source.videoParity, MediaStream.PayloadType.vp8Parity):
      takeParity(packet, at: now)
    default: refused += 1
    }
  }

  private mutating func takeAudio(_ packet: RTPPacket, at now: Instant) {
    guard let arrival = AudioArrival(packet) else {
      refused += 1
      return
    }
    let isFirst = audioCount.isEmpty
    let index = audioCount.insert(packet, at: now)
    let timestamp = audioClock.timestamp(of: packet.timestamp)
    let captured = MediaAge.time(of: timestamp, rate: MediaStream.ClockRate.audio)
    soundAge.note(captured, roundTrip: toldRoundTrip, at: now)
    // Each tells how fast the other could come.
    if let captured = sync.pictureTime(ofSound: timestamp) {
      pictureAge.note(captured, roundTrip: toldRoundTrip, at: now)
    }
    guard soundAge.admitsSound(captured, at: now) else { return }
    // Before the first packet that came nothing was missed.
    if !isFirst {
      for copy in arrival.copies { giveOut(copy, of: arrival, timestamp, index, at: now) }
    }
    giveOut(arrival.newest, of: arrival, timestamp, index, at: now)
  }

  private mutating func giveOut(
    _ sound: AudioArrival.Sound, of arrival: AudioArrival, _ timestamp: Int64, _ index: PacketIndex,
    at now: Instant
  ) {
    let index = index + -sound.distance
    guard audioSeen.insert(index) else { return }
    outputs.append(
      .audio(
        AudioPacket(
          bytes: sound.bytes.withUnsafeBytes { sounds.copy($0) },
          rtpTimestamp: timestamp &- sound.offset, index: index, samples: sound.samples,
          arrivedAt: now, distance: Int(sound.distance), reach: arrival.reach)))
  }

  private mutating func takeRepair(_ packet: RTPPacket, at now: Instant) {
    guard let repair = try? RetransmissionPayload(decoding: packet.payload) else {
      refused += 1
      return
    }
    var original = packet
    original.sequence = repair.original
    original.payload = repair.payload
    takeVideo(original, index: videoCount.index(of: repair.original), isRepair: true, at: now)
  }

  private mutating func takeParity(_ packet: RTPPacket, at now: Instant) {
    guard let payload = try? ParityPayload(decoding: packet.payload) else {
      refused += 1
      return
    }
    let first = videoCount.index(of: payload.first)
    let last = first + Int64(payload.count - 1)
    losses.noteParity(over: first...last, timestamp: packet.timestamp, at: now)
    guard isOfUse(last) else { return }
    let result = parity.insert(
      payload, first: first, timestamp: videoClock.timestamp(of: packet.timestamp),
      window: assembly.window)
    if result.isRefused { refused += 1 }
    if result.isExhausted { losses.release(at: now) }
    for rebuilt in result.rebuilt { takeVideo(rebuilt, isRepair: true, at: now) }
  }

  private mutating func takeVideo(
    _ packet: RTPPacket, index: PacketIndex, isRepair: Bool, at now: Instant
  ) {
    guard let payload = try? VP8Payload(decoding: packet.payload) else {
      refused += 1
      return
    }
    takeVideo(
      PacketWindow.Packet(
        index: index, timestamp: videoClock.timestamp(of: packet.timestamp),
        isMarked: packet.isMarked, bytes: packet.payload, payload: payload),
      isRepair: isRepair, at: now)
    // It may be the one that parity was waiting for.
    for rebuilt in parity.complete(index, window: assembly.window) {
      takeVideo(rebuilt, isRepair: true, at: now)
    }
  }

  private mutating func takeVideo(
    _ packet: PacketWindow.Packet, isRepair: Bool, at now: Instant
  ) {
    let index = packet.index
    let payload = packet.payload
    let arrival = losses.insert(
      index, isRepair: isRepair, startsFrame: payload.startsFrame, endsFrame: packet.isMarked,
      timestamp: UInt32(truncatingIfNeeded: packet.timestamp), at: now)
    switch arrival {
    case .old where !isOfUse(index): return
    case .jump:
      assembly.reset()
      parity.reset()
      order.breakChain()
      keyFrame.noteHopeless(at: now)
    case .inOrder, .repaired, .old: break
    }
    if !isRepair {
      let captured = MediaAge.time(of: packet.timestamp, rate: MediaStream.ClockRate.video)
      pictureAge.note(captured, roundTrip: toldRoundTrip, at: now)
      if let captured = sync.soundTime(ofPicture: packet.timestamp) {
        soundAge.note(captured, roundTrip: toldRoundTrip, at: now)
      }
    }
    if payload.startsFrame, KeyFrameHeader.isKeyFrame(payload.part) {
      keyFrame.noteComing(index, at: now)
    }
    let result = assembly.insert(packet)
    if let frame = result.frame {
      order.insert(frame)
      giveOut(at: now)
    }
    if order.isWaiting || !losses.isEmpty || order.givenThrough == nil {
      keyFrame.noteBlocked(at: now)
    }
  }

  /// A packet that nobody missed may still complete a frame: what was given up as lost comes after
  /// all, or a slower way than the one that carries the call now brings what came before the first
  /// packet that was seen.
  private func isOfUse(_ index: PacketIndex) -> Bool {
    if let given = order.newestGiven, index <= given { return false }
    guard let highest = losses.highest else { return true }
    return highest - index < Int64(PacketWindow.capacity / 2)
  }

  private mutating func takeReport(_ bytes: ArraySlice<UInt8>, at now: Instant) {
    guard bytes.count <= Self.packetLimit, let compound = try? RTCPCompound(decoding: bytes) else {
      refused += 1
      return
    }
    for packet in compound.packets {
      guard case .senderReport(let report) = packet else { continue }
      switch report.source {
      case MediaStream.Source.video:
        videoCount.noteSenderReport(report, at: now)
        sync.noteVideo(report, timestamp: videoClock.timestamp(of: report.timestamp))
      case MediaStream.Source.audio:
        audioCount.noteSenderReport(report, at: now)
        sync.noteAudio(report, timestamp: audioClock.timestamp(of: report.timestamp))
      default: break
      }
    }
    peerClock.tell(sound: &soundAge, pictures: &pictureAge, sync, at: now)
  }

  // MARK: - Output

  private mutating func giveOut(at now: Instant) {
    while true {
      let givenThrough = order.givenThrough
      guard let frame = order.next() else { return }
      keyFrame.noteProgress()
      losses.forget(through: frame.last)
      parity.forget(through: frame.last)
      assembly.forget(from: givenThrough.map { $0 + 1 } ?? frame.first, through: frame.last)
      if frame.isKeyFrame { size = frame.size }
      let assembled = AssembledFrame(
        bytes: frame.bytes, isKeyFrame: frame.isKeyFrame, size: frame.size,
        rtpTimestamp: frame.timestamp)
      let captured = MediaAge.time(of: frame.timestamp, rate: MediaStream.ClockRate.video)
      let isAwaited = pictureShownAt.map { now - $0 >= Self.pictureless } ?? true
      guard pictureAge.admitsPicture(captured, onStream: comesOnStream && !isAwaited, at: now)
      else {
        outputs.append(.decode(assembled, showAt: nil))
        continue
      }
      pictureShownAt = now
      let showAt = sync.showTime(of: frame.timestamp, at: now)
      shown.note(frame.timestamp, shownAt: showAt, clockRate: MediaStream.ClockRate.video)
      outputs.append(.decode(assembled, showAt: showAt))
    }
  }

  /// After so long without any picture a late one is better than none, on a stream too.
  private static let pictureless = Interval.milliseconds(500)

  /// Reports that are due.
  private mutating func pump(at now: Instant) {
    if let hold = sync.newHold(at: now) { outputs.append(.audioHold(hold)) }
    var urgent: [RTCPCompound.Packet] = []
    let lost = losses.takeDue(roundTrip: roundTrip, at: now)
    if !lost.isEmpty {
      urgent.append(
        .nack(
          GenericNack(
            reporter: MediaStream.Source.video, source: MediaStream.Source.video,
            lost: Array(lost.prefix(Self.nackLimit)))))
    }
    if keyFrame.isDue(roundTrip: roundTrip, at: now) {
      urgent.append(
        .pictureLoss(
          PictureLossIndication(
            reporter: MediaStream.Source.video, source: MediaStream.Source.video)))
    }
    if !urgent.isEmpty { outputs.append(.report(RTCPCompound(urgent).encoded)) }
    while let feedback = arrivals.nextDue(at: now) {
      outputs.append(.report(encoded.make { feedback.encode(to: &$0) }))
    }
    if let reportAt, reportAt <= now {
      self.reportAt = now + Self.reportInterval
      sendReport(at: now)
    }
  }
  /// Entries of 4 bytes each at worst: fits a datagram.
  private static let nackLimit = 250

  private mutating func sendReport(at now: Instant) {
    let reports = [
      audioCount.report(of: MediaStream.Source.audio, at: now),
      videoCount.report(of: MediaStream.Source.video, at: now),
    ].compactMap { $0 }
    guard !reports.isEmpty else { return }
    outputs.append(
      .report(
        RTCPCompound([
          .receiverReport(ReceiverReport(source: MediaStream.Source.video, reports: reports))
        ]).encoded))
  }

  package mutating func nextOutput() -> ReceivingOutput? { outputs.next() }

  /// When feedback, a request for repair or for a key frame, or a report is due.
  package var nextDeadline: Deadline? {
    var deadline = reportAt.map { Deadline("receiver-report", at: $0) }
    if let at = arrivals.dueAt { deadline = .earlier(deadline, Deadline("feedback", at: at)) }
    if let at = losses.nextAsk { deadline = .earlier(deadline, Deadline("nack", at: at)) }
    if let at = keyFrame.nextAsk(roundTrip: roundTrip) {
      deadline = .earlier(deadline, Deadline("key-frame", at: at))
    }
    return deadline
  }

  /// What was received since this was last asked.
  package mutating func takeStatistics(at now: Instant) -> ReceiveStatistics {
    var statistics = ReceiveStatistics()
    let frames = shown.takeFrames()
    if let takenAt, now > takenAt {
      statistics.rate = Bitrate(of: received, in: now - takenAt)
      statistics.framesPerSecond = Double(frames) / (now - takenAt).seconds
    }
    takenAt = now
    received = .zero
    let video = videoCount.takeLoss()
    let audio = audioCount.takeLoss()
    let expected = video.expected + audio.expected
    if expected > 0 {
      statistics.lossPercent = Double(video.lost + audio.lost) * 100 / Double(expected)
    }
    statistics.jitter = max(videoCount.jitterInterval, audioCount.jitterInterval)
    statistics.size = size
    statistics.freezes = shown.freezes
    statistics.frozen = shown.frozen
    statistics.audioVideoSkew = sync.takeSkew()
    return statistics
  }
}
