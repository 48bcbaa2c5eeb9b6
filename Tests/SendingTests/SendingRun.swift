import ErasureCoding
import Media
import Sending
import Units
import Wire

/// A sender alone, in virtual time, with all that it gave out.
struct SendingRun {
  var sender: MediaSender
  private(set) var now = Instant(nanoseconds: 10_000_000_000)
  private(set) var packets: [[UInt8]] = []
  /// When each of `packets` left.
  private(set) var sentAt: [Instant] = []
  private(set) var reports: [[UInt8]] = []
  private(set) var advice: [EncoderAdvice] = []
  private(set) var keyFramesAsked = 0
  private(set) var audio: [AudioAdvice] = []

  init(_ configuration: SendingConfiguration = SendingConfiguration()) {
    sender = MediaSender(configuration, erasureCode: CauchyErasureCode())
  }

  mutating func handle(_ input: SendingInput) {
    sender.handle(input, at: now)
    drain()
  }

  mutating func send(
    video bytes: [UInt8], isKeyFrame: Bool, layer: Int = 0, isDiscardable: Bool = false
  ) {
    handle(
      .video(
        EncodedVideoFrame(
          bytes: bytes, isKeyFrame: isKeyFrame, temporalLayer: layer,
          isDiscardable: isDiscardable, size: PictureSize(width: 640, height: 360),
          capturedAt: now)))
  }

  mutating func send(audio bytes: [UInt8], capturedLate: Interval = .zero) {
    handle(.audio(EncodedAudioFrame(bytes: bytes, samples: 960, capturedAt: now + capturedLate)))
  }

  mutating func feed(_ packets: RTCPCompound.Packet...) {
    handle(.feedback(RTCPCompound(packets).encoded[...]))
  }

  mutating func run(for duration: Interval) {
    let end = now + duration
    while let deadline = sender.nextDeadline, deadline.at <= end {
      now = max(now, deadline.at)
      handle(.timeout)
    }
    now = end
  }

  private mutating func drain() {
    while let output = sender.nextOutput() {
      switch output {
      case .packet(let bytes):
        packets.append(bytes)
        sentAt.append(now)
      case .report(let bytes): reports.append(bytes)
      case .encoder(let new): advice.append(new)
      case .keyFrameNeeded: keyFramesAsked += 1
      case .audio(let advice): audio.append(advice)
      }
    }
  }

  /// Everything sent from one source, decoded.
  func media(_ source: UInt32) throws -> [RTPPacket] {
    try packets.map { try RTPPacket(decoding: $0) }.filter { $0.source == source }
  }

  /// Feedback that everything sent so far arrived `delay` after it left.
  mutating func acknowledge(after delay: Interval = .milliseconds(10), from first: Int = 0) {
    tell(from: first) { _ in delay }
  }

  /// Feedback of what became of each packet: how long it took, or `nil` where it was lost.
  mutating func tell(from first: Int = 0, _ delay: (Int) -> Interval?) {
    guard packets.count > first else { return }
    let ticks = (first..<packets.count).map { index in
      delay(index).map { (sentAt[index] + $0).nanoseconds / 250_000 }
    }
    let reference = (ticks.lazy.compactMap(\.self).first ?? 0) / 256
    var clock = reference * 256
    var arrivals: [Int16?] = []
    for tick in ticks {
      arrivals.append(tick.map { Int16(clamping: $0 - clock) })
      clock = tick ?? clock
    }
    feed(
      .transportFeedback(
        TransportFeedback(
          reporter: 1, source: 0, base: SequenceNumber(UInt16(truncatingIfNeeded: first)),
          referenceTime: UInt32(truncatingIfNeeded: reference), count: 0, arrivals: arrivals)))
  }
}
