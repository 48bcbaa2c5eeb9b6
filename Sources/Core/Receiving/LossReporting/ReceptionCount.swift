import Units
import Wire

/// What is known of one source's reception (RFC 3550 §6.4.1, appendices A.3 and A.8).
struct ReceptionCount {
  private var unwrapper = SequenceUnwrapper()
  private var first: PacketIndex?
  private var highest = PacketIndex(0)
  private var received: Int64 = 0
  /// Timestamp units, smoothed.
  private(set) var jitter = 0.0
  private var lastTransit: Int64?
  private var reported: (expected: Int64, received: Int64) = (0, 0)
  private var counted: (expected: Int64, received: Int64) = (0, 0)
  /// The newest sender report's middle 32 bits, and when it came.
  private var senderReport: (time: UInt32, at: Instant)?
  private let clockRate: Int64

  init(clockRate: Int64) { self.clockRate = clockRate }

  mutating func insert(_ packet: RTPPacket, at now: Instant) -> PacketIndex {
    let index = unwrapper.index(of: packet.sequence)
    received += 1
    if first == nil {
      first = index
      highest = index
    }
    highest = max(highest, index)
    let arrival = now.nanoseconds / 1_000 * clockRate / 1_000_000
    let transit = Int64(truncatingIfNeeded: arrival) - Int64(packet.timestamp)
    if let lastTransit {
      let step = Double(abs(Int64(Int32(truncatingIfNeeded: transit &- lastTransit))))
      jitter += (step - jitter) / 16
    }
    lastTransit = transit
    return index
  }

  /// The index that `insert` would give.
  mutating func index(of number: SequenceNumber) -> PacketIndex { unwrapper.index(of: number) }

  mutating func noteSenderReport(_ report: SenderReport, at now: Instant) {
    senderReport = (UInt32(truncatingIfNeeded: report.time >> 16), now)
  }

  /// Nothing has come yet.
  var isEmpty: Bool { first == nil }

  var jitterInterval: Interval { .seconds(jitter / Double(clockRate)) }

  private var expected: Int64 { first.map { highest - $0 + 1 } ?? 0 }

  /// Packets expected and lost since this was last asked.
  mutating func takeLoss() -> (expected: Int64, lost: Int64) {
    let result = (
      expected - counted.expected,
      max(0, (expected - counted.expected) - (received - counted.received))
    )
    counted = (expected, received)
    return result
  }

  /// `nil` before the first packet.
  mutating func report(of source: UInt32, at now: Instant) -> ReceptionReport? {
    guard first != nil else { return nil }
    let expectedNow = expected - reported.expected
    let lostNow = expectedNow - (received - reported.received)
    reported = (expected, received)
    let fraction = expectedNow > 0 && lostNow > 0 ? min(255, lostNow * 256 / expectedNow) : 0
    let delay = senderReport.map { (now - $0.at).seconds * 65_536 } ?? 0
    return ReceptionReport(
      source: source, fractionLost: UInt8(fraction),
      lost: Int32(clamping: expected - received),
      highestSequence: UInt32(truncatingIfNeeded: highest.value),
      jitter: UInt32(min(max(jitter, 0), 4e9)), lastSenderReport: senderReport?.time ?? 0,
      delaySinceSenderReport: UInt32(min(max(delay, 0), 4e9)))
  }
}
