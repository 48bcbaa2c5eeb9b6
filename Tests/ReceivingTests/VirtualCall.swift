import ErasureCoding
import Media
import Receiving
import Sending
import Units
import Wire

/// A sender and a receiver over two virtual links, with a scripted encoder that makes frames of the
/// size asked for, and a sound thread that pulls every 10 ms. The same seed gives the same call.
struct VirtualCall {
  struct ShownFrame: Equatable {
    var number: Int
    var isKeyFrame: Bool
    var capturedAt: Instant
    var decodedAt: Instant
    var showAt: Instant
  }

  var sender: MediaSender
  var receiver = MediaReceiver(erasureCode: CauchyErasureCode())
  var forward: VirtualLink
  var backward: VirtualLink
  /// The sender is told what waits in the link's queue, as of a TCP socket.
  var isStream = false
  /// What a packet costs on the wire beside itself.
  var overhead = 66
  var hasAudio = true
  var hasVideo = true
  /// The encoder obeys `wantsVideo`; otherwise it encodes every frame, as for several peers.
  var skipsFrames = true
  var framesPerSecond = 30.0
  /// Time that sound spends in the device after `pull`.
  var deviceDelay = Interval.milliseconds(20)
  /// Clock of the receiver minus the sender's.
  var clockOffset = Interval.seconds(12_345)
  /// Highest bitrate that the content is worth.
  var contentLimit = Bitrate.kilobits(20_000)
  /// Frames that the decoder refuses.
  var refusedFrames: Set<Int> = []

  private(set) var now = Instant(nanoseconds: 1_000_000_000)
  private(set) var encoded = 0
  private(set) var skipped = 0
  private(set) var keyFrames = 0
  /// Bytes of pictures.
  private(set) var encodedBytes = ByteCount.zero
  private(set) var shown: [ShownFrame] = []
  /// Decoded, but too old to be shown.
  private(set) var passedOver: [Int] = []
  private(set) var audioArrivals: [PacketIndex] = []
  private(set) var decisions: [AudioDecision] = []
  private(set) var skews: [Interval] = []
  private(set) var advice: EncoderAdvice?
  private(set) var problems: [String] = []

  private enum Event {
    case capture
    case sound
    case pull
    case toReceiver([UInt8], isReport: Bool)
    case toSender([UInt8])
    case roundTrip
    case carrier
  }
  private var events: [(at: Instant, order: Int, event: Event)] = []
  private var order = 0
  private var random: SeededRandom
  private var audio = AudioJitterBuffer()
  private var wantsKeyFrame = true
  private var lastDecoded: Int?
  private var lastEncoded = -1
  private var captures: [Instant] = []
  private var soundLatency: Interval?

  init(
    seed: UInt64, configuration: SendingConfiguration = SendingConfiguration(),
    link: (inout VirtualLink) -> Void = { _ in }
  ) {
    random = SeededRandom(seed: seed)
    sender = MediaSender(configuration, erasureCode: CauchyErasureCode())
    forward = VirtualLink(seed: seed &+ 1)
    backward = VirtualLink(seed: seed &+ 2)
    link(&forward)
    backward.delay = forward.delay
    backward.loss = forward.loss
    schedule(.capture, at: now)
    schedule(.sound, at: now + .milliseconds(7))
    schedule(.pull, at: now + .milliseconds(3))
    schedule(.roundTrip, at: now)
    schedule(.carrier, at: now)
  }

  mutating func run(for duration: Interval) {
    let end = now + duration
    while true {
      let event = events.first
      let senderAt = sender.nextDeadline?.at
      let receiverAt = receiver.nextDeadline.map { $0.at - clockOffset }
      let next = [event?.at, senderAt, receiverAt].compactMap { $0 }.min() ?? end
      guard next <= end else { break }
      if next < now, next < (event?.at ?? .distantFuture) {
        problems.append("deadline in the past at \(now)")
        break
      }
      now = max(now, next)
      if let event, event.at <= now {
        events.removeFirst()
        perform(event.event)
      } else if senderAt == next {
        sender.handle(.timeout, at: now)
        drainSender()
        if sender.nextDeadline?.at == next { problems.append("sender stuck at \(now)") }
      } else {
        receiver.handle(.timeout, at: now + clockOffset)
        drainReceiver()
        if receiver.nextDeadline.map({ $0.at - clockOffset }) == next {
          problems.append("receiver stuck at \(now)")
        }
      }
      if problems.count > 10 { break }
    }
    now = end
  }

  private mutating func schedule(_ event: Event, at: Instant) {
    order += 1
    let place = events.lastIndex { $0.at <= at }.map { $0 + 1 } ?? 0
    events.insert((at, order, event), at: place)
  }

  private mutating func perform(_ event: Event) {
    switch event {
    case .capture:
      schedule(.capture, at: now + .seconds(1 / framesPerSecond))
      if hasVideo { capture() }
    case .sound:
      schedule(.sound, at: now + .milliseconds(20))
      if hasAudio {
        let packet: [UInt8] = [0x78] + [UInt8](repeating: 7, count: 79)
        sender.handle(
          .audio(
            EncodedAudioFrame(bytes: packet, samples: 960, capturedAt: now - .milliseconds(20))),
          at: now)
        drainSender()
      }
    case .pull:
      schedule(.pull, at: now + .milliseconds(10))
      pull()
    case .toReceiver(let bytes, let isReport):
      receiver.handle(isReport ? .report(bytes[...]) : .packet(bytes[...]), at: now + clockOffset)
      drainReceiver()
    case .toSender(let bytes):
      sender.handle(.feedback(bytes[...]), at: now)
      drainSender()
    case .carrier:
      schedule(.carrier, at: now + .milliseconds(2))
      if isStream { sender.handle(.queued(forward.waiting(at: now)), at: now) }
      drainSender()
    case .roundTrip:
      schedule(.roundTrip, at: now + .seconds(1))
      sender.handle(.roundTrip(forward.delay + backward.delay), at: now)
      receiver.handle(.roundTrip(forward.delay + backward.delay), at: now + clockOffset)
      drainSender()
      drainReceiver()
    }
  }

  // MARK: - Sender's side

  private mutating func capture() {
    if skipsFrames, !sender.wantsVideo {
      skipped += 1
      return
    }
    let bitrate = min(advice?.bitrate ?? .kilobits(800), contentLimit)
    var size = Double(bitrate.bitsPerSecond) / 8 / framesPerSecond * (0.8 + 0.4 * random.unit())
    if wantsKeyFrame { size *= 4 }
    let frame = ScriptedFrame(
      number: encoded, reference: wantsKeyFrame ? nil : lastEncoded, byteCount: Int(size))
    lastEncoded = encoded
    encoded += 1
    encodedBytes += ByteCount(frame.byteCount)
    captures.append(now)
    if wantsKeyFrame { keyFrames += 1 }
    wantsKeyFrame = false
    sender.handle(
      .video(
        EncodedVideoFrame(
          bytes: frame.bytes, isKeyFrame: frame.reference == nil,
          size: ScriptedFrame.size, capturedAt: now)), at: now)
    drainSender()
  }

  private mutating func drainSender() {
    while let output = sender.nextOutput() {
      switch output {
      case .packet(let bytes): transmit(bytes, isReport: false)
      case .report(let bytes): transmit(bytes, isReport: true)
      case .encoder(let new): advice = new
      case .keyFrameNeeded: wantsKeyFrame = true
      case .audio: break
      }
    }
  }

  private mutating func transmit(_ bytes: [UInt8], isReport: Bool) {
    if bytes.count > MediaStream.packetLimit { problems.append("\(bytes.count) bytes sent") }
    for arrival in forward.send(ByteCount(bytes.count + overhead), at: now) {
      schedule(.toReceiver(bytes, isReport: isReport), at: arrival)
    }
    if isStream { sender.handle(.queued(forward.waiting(at: now)), at: now) }
  }

  // MARK: - Receiver's side

  private mutating func drainReceiver() {
    while let output = receiver.nextOutput() {
      switch output {
      case .decode(let frame, let showAt): decode(frame, showAt: showAt.map { $0 - clockOffset })
      case .audio(let packet):
        audioArrivals.append(packet.index)
        audio.insert(packet)
      case .audioHold(let hold): audio.hold = hold
      case .report(let bytes):
        if bytes.count > MediaStream.packetLimit { problems.append("\(bytes.count) bytes back") }
        for arrival in backward.send(ByteCount(bytes.count + overhead), at: now) {
          schedule(.toSender(bytes), at: arrival)
        }
      }
    }
  }

  private mutating func decode(_ assembled: AssembledFrame, showAt: Instant?) {
    guard let frame = ScriptedFrame(assembled.bytes) else {
      problems.append("a broken frame was given out")
      return
    }
    if let reference = frame.reference, reference != lastDecoded {
      problems.append("frame \(frame.number) needs \(reference), not \(lastDecoded ?? -1)")
    }
    if let lastDecoded, frame.number <= lastDecoded {
      problems.append("frame \(frame.number) after \(lastDecoded)")
    }
    if let showAt, showAt < now { problems.append("frame \(frame.number) shown in the past") }
    if refusedFrames.remove(frame.number) != nil {
      receiver.handle(.decodeFailed, at: now + clockOffset)
      return
    }
    lastDecoded = frame.number
    guard let showAt else {
      passedOver.append(frame.number)
      return
    }
    if let soundLatency, hasAudio { skews.append(showAt - captures[frame.number] - soundLatency) }
    shown.append(
      ShownFrame(
        number: frame.number, isKeyFrame: frame.reference == nil,
        capturedAt: captures[frame.number], decodedAt: now, showAt: showAt))
  }

  private mutating func pull() {
    var samples = 0
    while samples < 480 {
      let decision = audio.pull(pending: 0, at: now + clockOffset)
      decisions.append(decision)
      switch decision {
      case .decode(let packet, _):
        samples += packet.samples
        receiver.handle(
          .audioPlayed(
            rtpTimestamp: packet.rtpTimestamp, at: now + clockOffset, deviceDelay: deviceDelay),
          at: now + clockOffset)
        // Packet n was captured 20 ms before the sound event that sent it.
        let captured =
          Instant(nanoseconds: 987_000_000)
          + .milliseconds(20 * (packet.index.value - (audioArrivals.min()?.value ?? 0)))
        soundLatency = now + deviceDelay - captured
        drainReceiver()
      case .recover(_, let count), .conceal(let count), .silence(let count): samples += count
      }
      if samples > 480 { schedulePause(samples - 480) }
    }
  }

  /// A packet longer than the device's period lasts for the next pulls too.
  private mutating func schedulePause(_ samples: Int) {
    guard let at = events.firstIndex(where: { if case .pull = $0.event { true } else { false } })
    else { return }
    let pull = events.remove(at: at)
    schedule(.pull, at: pull.at + .microseconds(Int64(samples) * 1_000 / 48))
  }
}

/// A frame that a VP8 decoder would not like, but whose header is VP8's, and which tells its number
/// and the frame that it refers to.
struct ScriptedFrame {
  var number: Int
  /// `nil` for a key frame.
  var reference: Int?
  var byteCount: Int

  static let size = PictureSize(width: 1_280, height: 720)

  init(number: Int, reference: Int?, byteCount: Int) {
    self.number = number
    self.reference = reference
    self.byteCount = max(byteCount, 22)
  }

  var bytes: [UInt8] {
    var writer = ByteWriter(reserving: byteCount)
    writer.append([reference == nil ? 0x10 : 0x11, 0, 0, 0x9D, 0x01, 0x2A])
    writer.append([0x00, 0x05, 0xD0, 0x02])
    writer.u32(UInt32(number))
    writer.u32(UInt32(reference ?? number))
    writer.u32(UInt32(byteCount))
    while writer.count < byteCount { writer.u8(UInt8(truncatingIfNeeded: writer.count &* 31)) }
    return writer.bytes
  }

  /// `nil` unless every byte is as it was made.
  init?(_ bytes: [UInt8]) {
    var reader = ByteReader(bytes)
    do {
      let isKey = try reader.u8() & 1 == 0
      try reader.skip(9)
      number = Int(try reader.u32())
      let reference = Int(try reader.u32())
      self.reference = isKey ? nil : reference
      byteCount = Int(try reader.u32())
    } catch { return nil }
    guard self.bytes == bytes else { return nil }
  }
}
