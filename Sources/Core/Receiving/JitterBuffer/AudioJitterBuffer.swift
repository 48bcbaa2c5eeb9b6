package import Units
import Wire

/// What to play next.
package enum AudioDecision: Equatable, Sendable {
  case decode(AudioPacket, AudioPace)
  /// The packet before `from` is lost: take it from that one's in-band redundancy.
  case recover(from: AudioPacket, samples: Int)
  /// Hide a gap of so many samples.
  case conceal(samples: Int)
  /// Nobody speaks, or nothing has come for long.
  case silence(samples: Int)
}

/// How fast a packet is to play: by one period of its pitch more or less (`TimeStretch`).
package enum AudioPace: Equatable, Sendable {
  case asIs
  /// In haste, sound that repeats itself poorly is shortened too.
  case shorter(inHaste: Bool)
  case longer(inHaste: Bool)
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
/// than the fastest of them as all but a few need, no more: where that changes, or the clocks of two
/// sound cards drift apart, sound is made a little longer or shorter.
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
  private var tally = (played: 0, concealed: 0)

  private static let packetLimit = 64
  /// Samples given where nothing else tells a length, and what devices take at a time: 10 ms.
  private static let block = 480
  private static let blockLength = Interval.milliseconds(10)
  /// After so much concealment in a row silence is more honest.
  private static let concealLimit = 48 * 100
  /// What the delay may be off before it is corrected: less than wanted, and more than wanted and
  /// the block that packets may have to wait for the device. The two lie further apart than a
  /// correction's size, so that it does not swing.
  private static let tolerance = (short: Interval.milliseconds(2), long: Interval.milliseconds(2))
  /// Off by more than this, it is corrected in haste.
  private static let haste = Interval.milliseconds(20)
  /// What came after it was concealed, and later than this, is left out.
  private static let intolerable = Interval.milliseconds(60)
  /// Beyond this all that is late is left out at once.
  private static let stale = Interval.milliseconds(300)
  private static let mostTarget = Interval.milliseconds(200)

  package init() { packets.reserveCapacity(Self.packetLimit) }

  package mutating func insert(_ packet: AudioPacket) {
    guard (1...5_760).contains(packet.samples) else { return }
    target.note(packet, hasRedundancy: OpusPacket.hasRedundancy(packet.bytes))
    if let next, packet.index < next.index { return }
    if packets.count == Self.packetLimit { packets.removeFirst() }
    let at = packets.lastIndex { $0.index <= packet.index }.map { $0 + 1 } ?? 0
    if at > 0, packets[at - 1].index == packet.index { return }
    packets.insert(packet, at: at)
  }

  /// The packet to be played next is there.
  package var hasNext: Bool {
    guard let next, let first = packets.first else { return false }
    return first.index == next.index
  }

  /// The next samples; `pending` were given before and are not played yet.
  package mutating func pull(pending: Int, at now: Instant) -> AudioDecision {
    let decision = decide(pending: pending, at: now)
    switch decision {
    case .decode(let packet, _): tally.played += packet.samples
    case .recover(_, let samples): tally.played += samples
    case .conceal(let samples):
      tally.played += samples
      tally.concealed += samples
    case .silence: break
    }
    return decision
  }

  private mutating func decide(pending: Int, at now: Instant) -> AudioDecision {
    dropRelics(at: now)
    guard let first = packets.first else { return underrun() }
    guard let next else {
      // The first packet waits until its time has come, or the second would be late at once.
      guard now - target.fastest(first.rtpTimestamp) >= wantedDelay(at: now) - .milliseconds(5)
      else { return .silence(samples: Self.block) }
      return play(.asIs, at: now)
    }
    if first.index == next.index { return inOrder(first, pending: pending, at: now) }
    let missing = first.rtpTimestamp &- next.timestamp
    // What was concealed already stands for what is missing, and a long gap was a pause.
    guard missing > Int64(ahead), missing <= Int64(Self.concealLimit) else {
      skipLate(at: now)
      return play(.asIs, at: now)
    }
    return fill(Int(missing), before: first)
  }

  private mutating func inOrder(
    _ packet: AudioPacket, pending: Int, at now: Instant
  ) -> AudioDecision {
    let wanted = wantedDelay(at: now)
    // What was asked for a whole block before its time would have had that time.
    let early = Self.blockLength * Double(pending / Self.block)
    let delay = now + early - target.fastest(packet.rtpTimestamp)
    if let next, packet.rtpTimestamp &- next.timestamp > Int64(packet.samples), delay < wanted {
      // The sender was silent: the next spurt begins at its own time.
      return .silence(samples: Self.block)
    }
    let excess = delay - wanted
    if skipLate(at: now) { return play(.asIs, at: now) }
    return play(pace(excess: excess, pending: pending % Self.block), at: now)
  }

  /// What has waited here for so long stood still together with this process; and what comes so late
  /// after it was concealed stood in a queue, from which fresher sound follows at once.
  private mutating func dropRelics(at now: Instant) {
    let limit = wantedDelay(at: now) + Self.stale
    while let first = packets.first {
      let since = ahead > 0 ? target.fastest(first.rtpTimestamp) : first.arrivedAt
      guard now - since > limit else { return }
      packets.removeFirst()
    }
  }

  /// After a blackout what comes far too late is not worth hearing: sound goes on at the newest.
  @discardableResult
  private mutating func skipLate(at now: Instant) -> Bool {
    let wanted = wantedDelay(at: now)
    let limit = wanted + (ahead > 0 ? Self.intolerable : Self.stale)
    guard packets.count > 1, now - target.fastest(packets[0].rtpTimestamp) > limit else {
      return false
    }
    while packets.count > 1, now - target.fastest(packets[0].rtpTimestamp) > wanted {
      packets.removeFirst()
    }
    return true
  }

  private func pace(excess: Interval, pending: Int) -> AudioPace {
    if excess < .zero - Self.tolerance.short {
      return .longer(inHaste: excess < .zero - Self.haste)
    }
    // Samples that wait for the rest of their block are late without being safer.
    let waiting = Interval.seconds(Double(pending) / 48_000)
    let late = excess + waiting - Self.blockLength
    guard late > Self.tolerance.long, packets.count > 1,
      packets[1].index == packets[0].index + 1
    else { return .asIs }
    return .shorter(inHaste: late > Self.haste)
  }

  private mutating func play(_ pace: AudioPace, at now: Instant) -> AudioDecision {
    let packet = packets.removeFirst()
    next = (packet.index + 1, packet.rtpTimestamp &+ Int64(packet.samples))
    ahead = 0
    lastSamples = packet.samples
    delay = now - target.fastest(packet.rtpTimestamp)
    return .decode(packet, pace)
  }

  /// `missing` samples are lost before `following`; the first `ahead` of them are concealed.
  private mutating func fill(_ missing: Int, before following: AudioPacket) -> AudioDecision {
    let left = missing - ahead
    let samples = min(left, lastSamples)
    let canRecover =
      ahead == 0 && left <= lastSamples && OpusPacket.hasRedundancy(following.bytes)
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

  private func wantedDelay(at now: Instant) -> Interval {
    min(target.value + target.repair(at: now), Self.mostTarget) + hold
  }

  package mutating func takeStatistics(at now: Instant) -> AudioStatistics {
    var statistics = AudioStatistics()
    if tally.played > 0 {
      statistics.concealedPercent = Double(tally.concealed) * 100 / Double(tally.played)
    }
    statistics.delay = delay
    statistics.target = wantedDelay(at: now)
    tally = (0, 0)
    return statistics
  }
}
