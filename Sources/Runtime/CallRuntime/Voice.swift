import Call
import Media
import Receiving
import Units
import Wire

/// One peer's way from packets to samples.
struct Voice {
  let session: SessionID
  private let decoder: any AudioDecoder
  private var buffer = AudioJitterBuffer()
  /// Decoded samples: those from `start` on are not yet played, the others are kept for stretching.
  private var samples: [Int16] = []
  private var start = 0
  /// RTP time of the sample at `start`; `nil` while nothing real plays.
  private var timestamp: Int64?
  /// Of the packet that would play without a seam.
  private var expected: PacketIndex?
  /// What was decoded last is to become shorter, perhaps together with what follows; in haste or not.
  private var shortening: Bool?
  private var reportedAt = Instant.zero
  private var playedAt: Instant?
  private var tally = (concealed: 0, played: 0)

  private static let reportInterval = Interval.milliseconds(50)
  /// Between two blocks nothing takes so long but a stop of this process.
  private static let stop = Interval.milliseconds(300)
  /// Samples in which any voice repeats itself.
  private static let enough = 2 * TimeStretch.periods.upperBound
  /// Over a seam old and new are faded: 5 ms.
  private static let seam = 240

  init(session: SessionID, decoder: any AudioDecoder) {
    self.session = session
    self.decoder = decoder
  }

  mutating func insert(_ packet: AudioPacket) { buffer.insert(packet) }
  mutating func hold(_ hold: Interval) { buffer.hold = hold }

  private var pending: Int { samples.count - start }

  /// The next 10 ms.
  mutating func nextBlock(at now: Instant) -> ArraySlice<Int16> {
    if let playedAt, now - playedAt > Self.stop { dropDecoded() }
    playedAt = now
    let wanted = AudioFormat.blockSamples
    repeat {
      while pending < wanted || isShortOfSound { pull(at: now) }
      shorten()
    } while pending < wanted
    let block = samples[start..<start + wanted]
    start += wanted
    timestamp? += Int64(wanted)
    if start >= 8 * wanted {
      let gone = start - TimeStretch.periods.upperBound
      samples.removeFirst(gone)
      start -= gone
    }
    return block
  }

  /// What was decoded before a stop is of another time.
  private mutating func dropDecoded() {
    start = samples.count
    timestamp = nil
    expected = nil
    shortening = nil
  }

  /// A deep voice does not repeat itself in one short packet.
  private var isShortOfSound: Bool {
    shortening != nil && pending < Self.enough && buffer.hasNext
  }

  private mutating func shorten() {
    guard let inHaste = shortening else { return }
    shortening = nil
    _ = TimeStretch.shorten(&samples, from: start, inHaste: inHaste)
  }

  private mutating func pull(at now: Instant) {
    let left = Int64(pending)
    switch buffer.pull(pending: pending, at: now) {
    case .decode(let packet, let pace):
      let isSeamless = expected == nil || expected == packet.index
      expected = packet.index + 1
      // The decoder is never ahead: what is left plays before this packet.
      timestamp = packet.rtpTimestamp - left
      let joint = samples.count
      append(or: packet.samples) { decoder throws(MediaError) in
        isSeamless
          ? try decoder.decode(packet.bytes) : try Self.joined(decoder, to: packet.bytes)
      }
      switch pace {
      case .asIs: break
      case .longer(let inHaste):
        _ = TimeStretch.lengthen(&samples, at: joint, inHaste: inHaste)
      case .shorter(let inHaste): shortening = inHaste
      }
    case .recover(let packet, let count):
      expected = packet.index
      timestamp = packet.rtpTimestamp - Int64(count) - left
      append(or: count) { decoder throws(MediaError) in
        try decoder.recover(from: packet.bytes, count: count)
      }
    case .conceal(let count):
      // The decoder itself leads from what it made up to what comes.
      expected = nil
      tally.concealed += count
      append(or: count) { decoder throws(MediaError) in try decoder.conceal(count: count) }
    case .silence(let count):
      timestamp = nil
      samples.append(contentsOf: repeatElement(0, count: max(1, count)))
    }
  }

  /// Sound after packets that were left out: what would have come is faded into what does.
  private static func joined(
    _ decoder: any AudioDecoder, to packet: [UInt8]
  ) throws(MediaError) -> [Int16] {
    let before = try decoder.conceal(count: seam)
    var sound = try decoder.decode(packet)
    let count = min(before.count, sound.count)
    for place in 0..<count {
      let sum = Int(before[place]) * (count - place) + Int(sound[place]) * place
      sound[place] = Int16(sum / count)
    }
    return sound
  }

  private mutating func append(
    or count: Int, _ decode: (any AudioDecoder) throws(MediaError) -> [Int16]
  ) {
    // A packet that does not decode is as good as lost.
    var decoded = (try? decode(decoder)) ?? []
    if decoded.isEmpty { decoded = [Int16](repeating: 0, count: max(1, count)) }
    tally.played += decoded.count
    samples.append(contentsOf: decoded)
  }

  /// Says which sample is given to the device now, for lip sync.
  mutating func playoutReport(at now: Instant, deviceDelay: Interval) -> ConferenceInput? {
    guard let timestamp, now - reportedAt >= Self.reportInterval else { return nil }
    reportedAt = now
    return .audioPlayed(
      session, rtpTimestamp: timestamp - Int64(AudioFormat.blockSamples), at: now,
      deviceDelay: deviceDelay)
  }

  mutating func concealmentReport() -> ConferenceInput? {
    guard tally.played >= AudioFormat.sampleRate / 2 else { return nil }
    defer { tally = (0, 0) }
    return .audioConcealed(session, samples: tally.concealed, of: tally.played)
  }
}
