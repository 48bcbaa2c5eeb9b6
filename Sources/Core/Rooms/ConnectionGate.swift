import Units

/// Counts the connections of each address, and says who may come in.
struct ConnectionGate {
  private let limits: RendezvousLimits
  private var addresses: [AddressGroup: Usage] = [:]
  private var forgetting = DeadlineQueue<AddressGroup>()

  private struct Usage {
    var pending = 0
    var connections = 0
    var handshakes: TokenBucket
    var creates: TokenBucket
    var usedAt: Instant
  }

  /// All buckets are full again after this long.
  private var memory: Interval { .seconds(limits.createBurst / limits.createsPerSecond + 1) }

  init(limits: RendezvousLimits) { self.limits = limits }

  /// True when one more connection of the address may begin its handshake; it is counted then.
  mutating func admit(_ group: AddressGroup, at now: Instant) -> Bool {
    var usage =
      addresses[group]
      ?? Usage(
        handshakes: TokenBucket(
          rate: limits.handshakesPerSecond, burst: Double(limits.pendingPerAddress), at: now),
        creates: TokenBucket(
          rate: limits.createsPerSecond, burst: limits.createBurst, at: now), usedAt: now)
    if addresses[group] == nil { forgetting.insert(group, at: now + memory) }
    defer { addresses[group] = usage }
    usage.usedAt = now
    guard usage.pending < limits.pendingPerAddress,
      usage.connections < limits.connectionsPerAddress, usage.handshakes.take(at: now)
    else { return false }
    usage.pending += 1
    usage.connections += 1
    return true
  }

  /// The connection is no longer on its way in.
  mutating func settle(_ group: AddressGroup) { addresses[group]?.pending -= 1 }

  mutating func leave(_ group: AddressGroup, at now: Instant) {
    addresses[group]?.connections -= 1
    addresses[group]?.usedAt = now
  }

  mutating func mayCreate(_ group: AddressGroup, at now: Instant) -> Bool {
    addresses[group]?.creates.take(at: now) ?? false
  }

  var nextDeadline: Instant? { forgetting.next }

  /// Forgets addresses without connections whose limits have recovered.
  mutating func handleTimeout(at now: Instant) {
    while let (_, group) = forgetting.takeDue(at: now) {
      guard let usage = addresses[group] else { continue }
      if usage.connections == 0, usage.usedAt + memory <= now {
        addresses[group] = nil
      } else {
        forgetting.insert(group, at: max(usage.usedAt, now) + memory)
      }
    }
  }
}

/// Who counts as one: an IPv4 address, or an IPv6 /64, which one customer has to himself.
struct AddressGroup: Hashable {
  private let bytes: [UInt8]

  init(_ ip: IPAddress) { bytes = ip.isV4 ? ip.bytes : Array(ip.bytes[..<8]) }
}
