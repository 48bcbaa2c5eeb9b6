import Units
import Wire

/// Decides when packets leave: sound at once, then what was asked for again, then pictures, each with
/// its parity behind it; all but sound spread at `rate` so that a picture fills the bottleneck no faster than it drains.
struct Pacer {
  enum Medium: Sendable {
    case audio
    /// Sent again.
    case repair
    /// Sent behind a picture, as part of it.
    case parity
    case video
  }
  struct Packet {
    var medium: Medium
    /// Of a video packet, for the history.
    var index: PacketIndex?
    var packet: RTPPacket
    /// What it costs on the wire.
    var size: ByteCount
  }

  /// How fast repair and pictures leave.
  var rate: Bitrate
  /// How fast repair leaves where there is much of it.
  var repairRate: Bitrate
  /// Pictures and repair wait: the path is silent, or the carrier below is full.
  var isHeld = false
  /// Sound waits too: what is given to the carrier below now would be heard far too late.
  var isBlocked = false

  /// What keeps repairs on top of a picture from being a burst.
  var window = PaceWindow()

  private var audio: [Packet] = []
  private var repair: [Packet] = []
  private var video: [Packet] = []
  /// The part of `video` that has left.
  private var videoSent = 0
  /// When the next repair or video packet may leave.
  private var nextSendAt = Instant.zero

  /// What waits of sound, in samples: older than that it is dropped.
  private static let audioLimit = UInt32(300 * 48)
  private static let repairLimit = 256
  /// Bytes of repair: losses of one picture leave as fast as pictures do; what an outage cost, or a
  /// change of the path, must not be one burst that is lost again.
  private static let smallRepair = 12_000
  /// Lateness of the caller's timer that is made up for by sending faster.
  private static let catchUp = Interval.milliseconds(2)
  /// How long what has left keeps the next packet waiting at most: sound is not paced, and on a path
  /// that carries less than it needs for a while the wait would outlive that by seconds.
  private static let longestWait = Interval.milliseconds(250)

  init(rate: Bitrate) {
    self.rate = rate
    repairRate = rate
  }

  /// The picture being sent has left whole, so another may begin.
  var isReadyForFrame: Bool { videoSent == video.count }
  /// Of what waits.
  private(set) var videoByteCount = 0
  private(set) var repairByteCount = 0

  mutating func append(_ packet: Packet) {
    switch packet.medium {
    case .audio:
      let newest = packet.packet.timestamp
      while let first = audio.first, newest &- first.packet.timestamp > Self.audioLimit {
        audio.removeFirst()
      }
      audio.append(packet)
    case .repair:
      if repair.count == Self.repairLimit {
        repairByteCount -= repair.removeFirst().size.bytes
      }
      repair.append(packet)
      repairByteCount += packet.size.bytes
    case .video, .parity:
      if isReadyForFrame {
        video.removeAll(keepingCapacity: true)
        videoSent = 0
      }
      video.append(packet)
      videoByteCount += packet.size.bytes
    }
  }

  mutating func dropRepair() {
    repair.removeAll(keepingCapacity: true)
    repairByteCount = 0
  }

  /// The next packet that may leave at `now`.
  mutating func next(at now: Instant) -> Packet? {
    if !audio.isEmpty, !isBlocked {
      let packet = audio.removeFirst()
      advance(by: packet, rate: rate, at: now)
      return packet
    }
    guard !isHeld, nextSendAt <= now else { return nil }
    if let size = repair.first?.size ?? (isReadyForFrame ? nil : video[videoSent].size) {
      let opening = window.opens(for: size, at: now)
      guard opening <= now else {
        nextSendAt = opening
        return nil
      }
    }
    if !repair.isEmpty {
      let isMuch = repairByteCount > Self.smallRepair
      let packet = repair.removeFirst()
      repairByteCount -= packet.size.bytes
      advance(by: packet, rate: isMuch ? min(rate, repairRate) : rate, at: now)
      return packet
    }
    guard videoSent < video.count else { return nil }
    let packet = video[videoSent]
    videoSent += 1
    videoByteCount -= packet.size.bytes
    advance(by: packet, rate: rate, at: now)
    return packet
  }

  private mutating func advance(by packet: Packet, rate: Bitrate, at now: Instant) {
    let next = max(nextSendAt, now - Self.catchUp) + rate.duration(of: packet.size)
    nextSendAt = min(next, now + Self.longestWait)
    window.add(packet.size, at: now)
  }

  /// When something that waits may leave.
  func nextSend(framesWait: Bool) -> Instant? {
    guard audio.isEmpty || isBlocked else { return .zero }
    guard !isHeld, framesWait || !repair.isEmpty || !isReadyForFrame else { return nil }
    return nextSendAt
  }
}
