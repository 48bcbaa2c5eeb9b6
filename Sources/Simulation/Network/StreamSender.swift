import Units

/// The sending half of a simulated TCP connection: a window of segments (`StreamWindow`), loss found by time as in RFC 8985, retransmission timer as in RFC 6298.
///
/// Linux's figures where they matter to a call: 10 segments at first, 200 ms at least before a
/// timer repeats, doubling up to 2 minutes. So after a blackout of 25 s a connection stays silent
/// for up to 25 s more, and the program above has to know better.
struct StreamSender {
  static let segmentBytes = 1_400
  private static let shortestTimer = Interval.milliseconds(200)
  private static let longestTimer = Interval.seconds(120)
  private static let retryLimit = 15

  private struct Sent {
    var offset: Int64
    var count: Int64
    var sentAt: Instant
    var wasRepeated = false
    var isLost = false
  }

  /// What the connection is to put on the line: bytes of `range`, or the end if `isFinish`.
  struct Emission {
    var range: Range<Int64>
    var isFinish: Bool
  }

  /// Written bytes that nobody acknowledged yet begin here.
  private(set) var acknowledged: Int64 = 0
  private var unsent: Int64 = 0
  private(set) var written: Int64 = 0
  private var isFinishing = false
  private var inFlight: [Sent] = []
  private var window: StreamWindow
  /// Losses before this offset belong to a reduction that was made already.
  private var recoveryEnd: Int64 = 0
  /// It was a timeout that made it.
  private var isAfterTimeout = false
  private var roundTrip: Interval?
  private var variation = Interval.zero
  private var timer = Interval.seconds(1)
  private var retries = 0
  private var newestDelivery = Instant.zero
  private(set) var nextDeadline: Instant?

  init(_ algorithm: StreamAlgorithm = .mixed) { window = StreamWindow(algorithm) }

  /// Bytes that were written but never put on the line.
  var waiting: Int { Int(written - min(written, unsent)) }
  /// Everything, the end too, has arrived.
  var isDone: Bool { isFinishing && acknowledged > written }

  mutating func write(_ count: Int) { written += Int64(count) }
  mutating func finish() { isFinishing = true }

  /// The next thing to send now, or `nil`.
  mutating func nextEmission(at now: Instant) -> Emission? {
    let outstanding = inFlight.reduce(0) { $0 + ($1.isLost ? 0 : Int($1.count)) }
    guard outstanding < window.bytes else { return nil }
    if let index = inFlight.firstIndex(where: { $0.isLost }) {
      inFlight[index].isLost = false
      inFlight[index].wasRepeated = true
      inFlight[index].sentAt = now
      arm(at: now)
      return emission(inFlight[index])
    }
    let end = isFinishing ? written + 1 : written
    guard unsent < end else { return nil }
    let count = unsent == written ? 1 : min(Int64(Self.segmentBytes), written - unsent)
    let sent = Sent(offset: unsent, count: count, sentAt: now)
    inFlight.append(sent)
    unsent += count
    if nextDeadline == nil { arm(at: now) }
    return emission(sent)
  }

  private func emission(_ sent: Sent) -> Emission {
    Emission(
      range: sent.offset..<sent.offset + sent.count, isFinish: sent.offset == written)
  }

  mutating func acknowledge(_ upTo: Int64, received: [Range<Int64>], at now: Instant) {
    let outstanding = inFlight.reduce(0) { $0 + Int($1.count) }
    var delivered = 0
    var left: [Sent] = []
    for sent in inFlight {
      let end = sent.offset + sent.count
      let has =
        end <= upTo || received.contains { $0.lowerBound <= sent.offset && end <= $0.upperBound }
      guard has else {
        left.append(sent)
        continue
      }
      delivered += Int(sent.count)
      newestDelivery = max(newestDelivery, sent.sentAt)
      if !sent.wasRepeated { measure(now - sent.sentAt) }
    }
    inFlight = left
    if upTo > acknowledged {
      acknowledged = upTo
      retries = 0
      updateTimer()
    }
    guard delivered > 0 else { return }
    if canGrow, outstanding + Self.segmentBytes >= window.bytes {
      window.grow(by: delivered, roundTrip: roundTrip ?? .zero, at: now)
    }
    findLosses(at: now)
    if inFlight.isEmpty { nextDeadline = nil } else { arm(at: now) }
  }

  /// Not while losses are repaired at a reduced window; but after a timeout, which leaves one segment of
  /// it, RFC 5681 §3.1.
  private var canGrow: Bool { acknowledged >= recoveryEnd || isAfterTimeout }

  /// RFC 8985: what was sent well before something that has arrived is lost.
  private mutating func findLosses(at now: Instant) {
    let tolerance = (roundTrip ?? .zero) / 4
    var isFound = false
    for index in inFlight.indices where !inFlight[index].isLost {
      guard inFlight[index].sentAt + tolerance < newestDelivery else { continue }
      inFlight[index].isLost = true
      isFound = isFound || inFlight[index].offset >= recoveryEnd
    }
    if isFound {
      window.reduce()
      recoveryEnd = unsent
      isAfterTimeout = false
    }
  }

  /// False once the connection has to be given up.
  mutating func timedOut(at now: Instant) -> Bool {
    retries += 1
    guard retries <= Self.retryLimit else { return false }
    window.collapse(again: retries > 1)
    recoveryEnd = unsent
    isAfterTimeout = true
    for index in inFlight.indices { inFlight[index].isLost = true }
    timer = min(timer + timer, Self.longestTimer)
    nextDeadline = now + timer
    return true
  }

  /// Linux measures the opening too, by its time stamps: over a satellite, the timer of 1 s that
  /// holds before would take every first segment for lost.
  mutating func opened(in roundTrip: Interval) { measure(roundTrip) }

  private mutating func measure(_ sample: Interval) {
    if let known = roundTrip {
      variation = (variation * 0.75) + ((known - sample).magnitude * 0.25)
      roundTrip = (known * 0.875) + (sample * 0.125)
    } else {
      roundTrip = sample
      variation = sample / 2
    }
    updateTimer()
  }

  private mutating func updateTimer() {
    guard let roundTrip else { return }
    timer = max(Self.shortestTimer, roundTrip + variation * 4)
  }

  private mutating func arm(at now: Instant) { nextDeadline = now + timer }
}
