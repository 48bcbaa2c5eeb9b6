import Units

/// One direction of one access line: a drop-tail queue, a rate, and what happens on the way.
final class Line {
  private(set) var conditions: LinkConditions
  var counters = LineCounters()
  private let world: World
  private var random: SeededRandom
  private let deliver: (Packet) -> Void
  private var waiting: [(packet: Packet, since: Instant)] = []
  private var firstWaiting = 0
  private var waitingBytes = ByteCount.zero
  private var isSending = false
  private var latestArrival = Instant.zero

  init(_ world: World, _ conditions: LinkConditions, deliver: @escaping (Packet) -> Void) {
    self.world = world
    self.conditions = conditions
    self.deliver = deliver
    random = world.split()
  }

  func set(_ conditions: LinkConditions) {
    self.conditions = conditions
    sendNext()
  }

  func offer(_ packet: Packet) {
    counters.offered += 1
    if conditions.isDown {
      counters.droppedByOutage += 1
      return
    }
    if let rate = conditions.rate, !conditions.isStalled,
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
      let (packet, since) = waiting[firstWaiting]
      firstWaiting += 1
      if firstWaiting == waiting.count || firstWaiting > 64 {
        waiting.removeFirst(firstWaiting)
        firstWaiting = 0
      }
      waitingBytes -= packet.wireBytes
      counters.waits.add(world.now - since)
      counters.sentBytes += packet.wireBytes
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

  private func propagate(_ packet: Packet) {
    // Each draw happens for each packet, so that one condition's change leaves the others alone.
    let isLost = random.chance(conditions.loss)
    let isCorrupted = random.chance(conditions.corruption)
    let isReordered = random.chance(conditions.reordering)
    let isDuplicated = random.chance(conditions.duplication)
    let spread = random.unit()
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
    guard case .datagram(var bytes) = packet.payload, !bytes.isEmpty else { return nil }
    bytes[Int(place % UInt64(bytes.count))] ^= 1 << UInt8(place >> 32 & 7)
    var altered = packet
    altered.payload = .datagram(bytes)
    return altered
  }
}
