import Units

/// One direction of one access line: a drop-tail queue, a rate, and what happens on the way.
final class Line {
  private(set) var conditions: LinkConditions
  var counters = LineCounters()
  private let world: World
  private var random: SeededRandom
  /// Apart, so that bursts and jitter leave every other draw as it is without them.
  private var burstRandom: SeededRandom
  private var jitterRandom: SeededRandom
  private var isBad = false
  private let deliver: (Packet) -> Void
  private var waiting: [(packet: Packet, since: Instant)] = []
  private var firstWaiting = 0
  private var waitingBytes = ByteCount.zero
  private var isSending = false
  private var latestArrival = Instant.zero
  /// When the conditions' trace began, its next opportunity, and how much of the first packet that
  /// waits has passed in earlier ones.
  private var traceStart = Instant.zero
  private var opportunity = 0
  private var passedOfFirst = 0

  init(_ world: World, _ conditions: LinkConditions, deliver: @escaping (Packet) -> Void) {
    self.world = world
    self.conditions = conditions
    self.deliver = deliver
    random = world.split()
    var source = random
    burstRandom = SeededRandom(seed: source.next() ^ 0x4255_5253)
    jitterRandom = source.split()
    traceStart = world.now
  }

  func set(_ conditions: LinkConditions) {
    if conditions.trace != self.conditions.trace {
      traceStart = world.now
      opportunity = 0
      passedOfFirst = 0
    }
    self.conditions = conditions
    sendNext()
  }

  /// How long what came now would wait for the rate.
  var queue: Interval {
    guard firstWaiting < waiting.count else { return .zero }
    if conditions.isStalled || conditions.trace != nil {
      return world.now - waiting[firstWaiting].since
    }
    return conditions.rate?.duration(of: waitingBytes) ?? .zero
  }

  /// What can pass within `span` from now on; `nil` without limit.
  func capacity(in span: Interval) -> ByteCount? {
    if conditions.isDown || conditions.isStalled { return .zero }
    if let trace = conditions.trace {
      let since = world.now - traceStart
      let count = trace.count(before: since + span) - trace.count(before: since)
      return ByteCount(count * DeliveryTrace.opportunityBytes)
    }
    return conditions.rate?.bytes(in: span)
  }

  func offer(_ packet: Packet) {
    counters.offered += 1
    if conditions.isDown {
      counters.droppedByOutage += 1
      return
    }
    if let rate = conditions.averageRate, !conditions.isStalled,
      rate.duration(of: waitingBytes) > conditions.queue
    {
      counters.droppedByQueue += 1
      return
    }
    waiting.append((packet, world.now))
    waitingBytes += packet.wireBytes
    sendNext()
  }

  private func sendNext() {
    while !isSending, !conditions.isStalled, firstWaiting < waiting.count {
      if let trace = conditions.trace {
        awaitOpportunity(of: trace)
        return
      }
      let packet = takeFirst()
      guard let rate = conditions.rate else {
        propagate(packet)
        continue
      }
      let duration = rate.duration(of: packet.wireBytes)
      counters.busy = counters.busy + duration
      isSending = true
      world.schedule(after: duration) { [self] in
        isSending = false
        propagate(packet)
        sendNext()
      }
    }
  }

  private func takeFirst() -> Packet {
    let (packet, since) = waiting[firstWaiting]
    firstWaiting += 1
    if firstWaiting == waiting.count || firstWaiting > 64 {
      waiting.removeFirst(firstWaiting)
      firstWaiting = 0
    }
    waitingBytes -= packet.wireBytes
    counters.waits.add(world.now - since)
    counters.sentBytes += packet.wireBytes
    return packet
  }

  /// Opportunities that nobody waited for are lost.
  private func awaitOpportunity(of trace: DeliveryTrace) {
    opportunity = max(opportunity, trace.count(before: world.now - traceStart))
    let at = traceStart + trace.time(of: opportunity)
    opportunity += 1
    isSending = true
    world.schedule(at: at) { [self] in
      isSending = false
      if !conditions.isStalled, conditions.trace == trace { useOpportunity(of: trace) }
      sendNext()
    }
  }

  private func useOpportunity(of trace: DeliveryTrace) {
    var room = DeliveryTrace.opportunityBytes
    while room > 0, firstWaiting < waiting.count {
      let left = waiting[firstWaiting].packet.wireBytes.bytes - passedOfFirst
      let passing = min(left, room)
      room -= passing
      passedOfFirst += passing
      guard passing == left else { continue }
      passedOfFirst = 0
      let packet = takeFirst()
      counters.busy = counters.busy + trace.averageRate.duration(of: packet.wireBytes)
      propagate(packet)
    }
  }

  private func propagate(_ packet: Packet) {
    // Each draw happens for each packet, so that one condition's change leaves the others alone.
    let isLostInBurst = losesInBurst()
    let isLost = random.chance(conditions.loss) || isLostInBurst
    let isCorrupted = random.chance(conditions.corruption)
    let isReordered = random.chance(conditions.reordering)
    let isDuplicated = random.chance(conditions.duplication)
    let spread = conditions.jitterShape.share(random.unit(), &jitterRandom)
    let place = random.next()
    if isLost || conditions.isDown {
      counters.lost += conditions.isDown ? 0 : 1
      counters.droppedByOutage += conditions.isDown ? 1 : 0
      return
    }
    var arrival = world.now + conditions.delay + conditions.jitter * spread
    if isReordered {
      counters.reordered += 1
      arrival += conditions.reorderDelay
    } else if !conditions.jitterReorders {
      arrival = max(arrival, latestArrival)
      latestArrival = arrival
    }
    if isDuplicated {
      counters.duplicated += 1
      schedule(packet, at: arrival + .milliseconds(Int64(place % 8)))
    }
    schedule(isCorrupted ? corrupted(packet, place: place) : packet, at: arrival)
  }

  private func losesInBurst() -> Bool {
    let turn = burstRandom.unit()
    let toss = burstRandom.unit()
    guard let burst = conditions.burst else {
      isBad = false
      return false
    }
    isBad = isBad ? turn >= burst.toGood : turn < burst.toBad
    return toss < (isBad ? burst.lossWhenBad : burst.lossWhenGood)
  }

  private func schedule(_ packet: Packet?, at arrival: Instant) {
    guard let packet else { return }
    world.schedule(at: arrival) { [self] in
      counters.delivered += 1
      deliver(packet)
    }
  }

  /// A datagram with one bit changed. A segment's checksum finds it: TCP sees a loss.
  private func corrupted(_ packet: Packet, place: UInt64) -> Packet? {
    counters.corrupted += 1
    var altered = packet
    switch packet.payload {
    case .datagram(var bytes) where !bytes.isEmpty:
      bytes[Int(place % UInt64(bytes.count))] ^= 1 << UInt8(place >> 32 & 7)
      altered.payload = .datagram(bytes)
    case .carried(let bytes):
      guard let bytes = CarriedPacket(bytes)?.corrupted(place: place) else { return nil }
      altered.payload = .carried(bytes)
    case .datagram, .segment: return nil
    }
    return altered
  }
}
