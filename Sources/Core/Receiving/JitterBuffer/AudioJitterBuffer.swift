package import Units

/// What to play next.
package enum AudioDecision: Equatable, Sendable {
  case decode(AudioPacket)
  /// The packet before `from` is lost: take it from that one's in-band redundancy, if it has any.
  case recover(from: AudioPacket, samples: Int)
  /// Hide a gap of so many samples.
  case conceal(samples: Int)
  /// Nobody speaks, or nothing has come for long.
  case silence(samples: Int)
}

/// What was played since the statistics were last taken.
package struct AudioStatistics: Hashable, Sendable {
  /// Of the samples asked for while the peer was sending.
  package var concealedPercent = 0.0
  /// How much later than the fastest possible packets are played.
  package var delay = Interval.zero
  package var target = Interval.zero
  package init() {}
}

/// Keeps one peer's sound until it is played; owned by the sound thread.
///
/// Each time the device needs samples `pull` says where they come from. Packets play as much later
/// than the fastest of them as all but a few need, no more. The delay grows by concealing once
/// where packets come late, and shrinks by leaving out a packet where it is quiet.
package struct AudioJitterBuffer: Sendable {
  /// How much longer sound is to wait for the picture (`ReceivingOutput.audioHold`).
  package var hold = Interval.zero

  /// By index, rising.
  private var packets: [AudioPacket] = []
  private var target = AudioDelayTarget()
  /// Of the packet to be played next; `nil` before the first.
  private var next: (index: PacketIndex, timestamp: Int64)?
  /// Samples concealed since `next` should have played, without knowing what became of it.
  private var ahead = 0
  private var lastSamples = 960
  /// The newest measured playout delay.
  private var delay = Interval.zero
  private var adjustedAt = Instant.zero
  /// Share of packets that never came in time, smoothed.
  private var missedShare = 0.0
  private var tally = (played: 0, concealed: 0)

  private static let packetLimit = 64
  /// Samples given where nothing else tells a length: 10 ms.
  private static let block = 480
  /// After so much concealment in a row silence is more honest.
  private static let concealLimit = 48 * 100
  private static let adjustInterval = Interval.milliseconds(400)
  /// Beyond this the delay shrinks whether it is quiet or not.
  private static let intolerable = Interval.milliseconds(120)
  /// Beyond this all that is late is left out at once.
  private static let stale = Interval.milliseconds(300)
  private static let mostTarget = Interval.milliseconds(200)

  package init() { packets.reserveCapacity(Self.packetLimit) }

  package mutating func insert(_ packet: AudioPacket) {
    guard (1...5_760).contains(packet.samples) else { return }
    target.note(packet.rtpTimestamp, at: packet.arrivedAt)
    if let next, packet.index < next.index { return }
    if packets.count == Self.packetLimit { packets.removeFirst() }
    let at = packets.lastIndex { $0.index <= packet.index }.map { $0 + 1 } ?? 0
    if at > 0, packets[at - 1].index == packet.index { return }
    packets.insert(packet, at: at)
  }

  /// The next samples. `wasQuiet` says that what was played last could hardly be heard.
  package mutating func pull(wasQuiet: Bool, at now: Instant) -> AudioDecision {
    let decision = decide(wasQuiet: wasQuiet, at: now)
    switch decision {
    case .decode(let packet): tally.played += packet.samples
    case .recover(_, let samples): tally.played += samples
    case .conceal(let samples):
      tally.played += samples
      tally.concealed += samples
    case .silence: break
    }
    return decision
  }

  private mutating func decide(wasQuiet: Bool, at now: Instant) -> AudioDecision {
    guard let first = packets.first else { return underrun() }
    guard let next else {
      // The first packet waits until its time has come, or the second would be late at once.
      guard now - target.fastest(first.rtpTimestamp) >= wantedDelay - .milliseconds(5) else {
        return .silence(samples: Self.block)
      }
      return play(at: now)
    }
    if first.index == next.index { return inOrder(first, wasQuiet: wasQuiet, at: now) }
    miss(true)
    let missing = first.rtpTimestamp &- next.timestamp
    // What was concealed already stands for what is missing, and a long gap was a pause.
    guard missing > Int64(ahead), missing <= Int64(Self.concealLimit) else {
      return play(at: now)
    }
    return fill(Int(missing), before: first)
  }

  private mutating func inOrder(
    _ packet: AudioPacket, wasQuiet: Bool, at now: Instant
  ) -> AudioDecision {
    let delay = now - target.fastest(packet.rtpTimestamp)
    if let next, packet.rtpTimestamp &- next.timestamp > Int64(packet.samples),
      delay < wantedDelay
    {
      // The sender was silent: the next spurt begins at its own time.
      return .silence(samples: Self.block)
    }
    let excess = delay - wantedDelay
    let length = Interval.seconds(Double(packet.samples) / 48_000)
    let isRested = now - adjustedAt >= Self.adjustInterval
    if excess > Self.stale, packets.count > 1 {
      // After a blackout, or a stop of this process: what is so late is not worth hearing.
      while packets.count > 1,
        now - target.fastest(packets[0].rtpTimestamp) > wantedDelay + length
      {
        packets.removeFirst()
      }
      adjustedAt = now
      return play(at: now)
    }
    if ahead > 0 {
      // It is late and was concealed: played, it would delay everything after it.
      if excess > length / 2, packets.count > 1 {
        ahead = max(0, ahead - packet.samples)
        miss(true)
        return skip(at: now)
      }
    } else if packets.count > 1, isRested,
      wasQuiet && excess > length + .milliseconds(5) || excess > Self.intolerable
    {
      adjustedAt = now
      return skip(at: now)
    } else if isRested, excess < .milliseconds(-8) {
      adjustedAt = now
      return .conceal(samples: Self.block)
    }
    return play(at: now)
  }

  /// Leaves the first packet out.
  private mutating func skip(at now: Instant) -> AudioDecision {
    packets.removeFirst()
    return play(at: now)
  }

  private mutating func play(at now: Instant) -> AudioDecision {
    let packet = packets.removeFirst()
    next = (packet.index + 1, packet.rtpTimestamp &+ Int64(packet.samples))
    ahead = 0
    lastSamples = packet.samples
    delay = now - target.fastest(packet.rtpTimestamp)
    miss(false)
    return .decode(packet)
  }

  /// `missing` samples are lost before `following`; the first `ahead` of them are concealed.
  private mutating func fill(_ missing: Int, before following: AudioPacket) -> AudioDecision {
    let left = missing - ahead
    let samples = min(left, lastSamples)
    let canRecover = ahead == 0 && left <= lastSamples
    if left == samples {
      next = (following.index, following.rtpTimestamp)
      ahead = 0
    } else {
      ahead += samples
    }
    return canRecover ? .recover(from: following, samples: samples) : .conceal(samples: samples)
  }

  private mutating func underrun() -> AudioDecision {
    guard next != nil, ahead < Self.concealLimit else { return .silence(samples: Self.block) }
    ahead += Self.block
    return .conceal(samples: Self.block)
  }

  private mutating func miss(_ missed: Bool) {
    missedShare += ((missed ? 1 : 0) - missedShare) / 100
  }

  private var wantedDelay: Interval {
    // With losses, the packet after a lost one should be there when the lost one is due: it
    // carries its redundancy.
    let redundancy: Interval =
      missedShare > 0.02 ? .seconds(Double(lastSamples) / 48_000) : .zero
    return min(target.value + redundancy, Self.mostTarget) + hold
  }

  package mutating func takeStatistics() -> AudioStatistics {
    var statistics = AudioStatistics()
    if tally.played > 0 {
      statistics.concealedPercent = Double(tally.concealed) * 100 / Double(tally.played)
    }
    statistics.delay = delay
    statistics.target = wantedDelay
    tally = (0, 0)
    return statistics
  }
}
