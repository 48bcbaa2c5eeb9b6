import Units

/// How much later than the fastest packet sound must play so that all but a few packets are there
/// in time: a histogram of how late packets came, in which older ones weigh less; and where packets
/// are lost, as long again as their copies take to come.
struct AudioDelayTarget {
  /// Share of packets in each step of lateness; the last takes everything beyond.
  private var histogram = [Float](repeating: 0, count: Self.bucketCount)
  private var total: Float = 0
  /// Least transit time of this half window and of the one before it, nanoseconds of two clocks.
  private var least: Int64?
  private var previousLeast: Int64?
  private var halfBegan = Instant.zero
  /// The highest packet that came itself, not as a copy.
  private var highest: PacketIndex?
  private var lossAt: Instant?
  /// The least transit time of the newest stretch of packets, and of the one before it.
  private var newest: (least: Int64, since: Instant)?
  private var leastBefore: Int64?
  /// What came with the newest packet, and its length.
  private var reach = 0
  private var length = Interval.milliseconds(20)

  private static let bucket = Interval.milliseconds(4)
  private static let bucketCount = 51
  /// Packets after which one weighs 1/e: about 10 s.
  private static let keep: Float = 1 - 1 / 700
  /// Late packets that are worth their concealment: 0.5 %.
  private static let covered: Float = 0.995
  private static let jump: Int64 = 2_000_000_000
  /// When even the fastest of a stretch is later than sound ever waits, the path has become longer, if
  /// by as much in two: a queue that drains becomes less from one to the next.
  private static let stretch = Interval.milliseconds(500)
  private static let longer = Int64(200_000_000)
  private static let alike = Int64(50_000_000)
  /// Clocks of two sound cards drift apart by up to 0.1 ms a second.
  private static let halfWindow = Interval.milliseconds(4_000)
  /// After the newest loss the next one is waited for so long.
  private static let lossKept = Interval.milliseconds(5_000)

  /// When a packet of this timestamp would have come had it been the fastest.
  func fastest(_ rtpTimestamp: Int64) -> Instant {
    Instant(nanoseconds: base &+ Self.nanoseconds(rtpTimestamp))
  }

  mutating func note(_ packet: AudioPacket, hasRedundancy: Bool) {
    // A copy's lateness is its distance, not jitter.
    guard packet.distance == 0 else { return }
    note(packet.rtpTimestamp, at: packet.arrivedAt)
    reach = max(packet.reach, hasRedundancy ? 1 : 0)
    length = .seconds(Double(packet.samples) / 48_000)
    if let highest, packet.index > highest + 1 { lossAt = packet.arrivedAt }
    highest = max(highest ?? packet.index, packet.index)
  }

  private mutating func note(_ rtpTimestamp: Int64, at now: Instant) {
    let transit = now.nanoseconds &- Self.nanoseconds(rtpTimestamp)
    if least != nil, !(-Self.jump...Self.jump).contains(transit &- base) {
      // What was known is void.
      least = transit
      previousLeast = nil
      halfBegan = now
    }
    let before = base
    let isFirst = least == nil && previousLeast == nil
    if now - halfBegan > Self.halfWindow {
      previousLeast = least
      least = nil
      halfBegan = now
    }
    least = min(least ?? transit, transit)
    watchForLongerPath(transit, at: now)
    if !isFirst, base > before { forgetLateness(base &- before) }
    let late = Int(max(0, transit &- base) / Self.bucket.nanoseconds)
    for at in histogram.indices { histogram[at] *= Self.keep }
    histogram[min(late, Self.bucketCount - 1)] += 1
    total = total * Self.keep + 1
  }

  private mutating func watchForLongerPath(_ transit: Int64, at now: Instant) {
    let known = newest ?? (transit, now)
    newest = (min(known.least, transit), known.since)
    guard now - known.since >= Self.stretch else { return }
    let fastest = min(known.least, transit)
    let before = leastBefore
    newest = nil
    leastBefore = fastest
    guard fastest &- base > Self.longer, let before,
      (fastest &- before).magnitude <= UInt64(Self.alike)
    else { return }
    least = fastest
    previousLeast = nil
    halfBegan = now
  }

  /// What packets are compared with comes later now, so each of them was less late.
  private mutating func forgetLateness(_ rise: Int64) {
    let steps = min(Int(rise / Self.bucket.nanoseconds), Self.bucketCount - 1)
    guard steps > 0 else { return }
    let early = histogram[...steps].reduce(0, +)
    for at in histogram.indices {
      histogram[at] = at + steps < Self.bucketCount ? histogram[at + steps] : 0
    }
    histogram[0] = early
  }

  /// The lateness that all but 0.5 % of packets keep; at most 200 ms.
  var value: Interval {
    var sum: Float = 0
    for at in histogram.indices {
      sum += histogram[at]
      if sum >= total * Self.covered { return Self.bucket * Double(at + 1) }
    }
    return Self.bucket
  }

  /// What waiting for copies takes beyond that.
  func repair(at now: Instant) -> Interval {
    guard let lossAt, now - lossAt < Self.lossKept else { return .zero }
    return length * Double(reach)
  }

  private var base: Int64 {
    switch (least, previousLeast) {
    case (let least?, let previous?): min(least, previous)
    case (let least?, nil): least
    case (nil, let previous?): previous
    case (nil, nil): 0
    }
  }

  private static func nanoseconds(_ rtpTimestamp: Int64) -> Int64 {
    // 48 kHz: 62 500 / 3 ns a sample. Timestamps are below 2^40.
    rtpTimestamp &* 62_500 / 3
  }
}
