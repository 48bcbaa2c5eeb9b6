import Units
import Wire

/// When packets arrived, by transport-wide sequence number, until feedback about them is due.
struct ArrivalLog {
  private var arrivals: [(index: PacketIndex, tick: Int64)] = []
  /// Those of them that the messages that are being taken have told already.
  private var told = 0
  private var unwrapper = SequenceUnwrapper()
  private var highest: PacketIndex?
  /// The first index that feedback has not been about.
  private var nextBase: PacketIndex?
  private var messageCount: UInt8 = 0
  private var firstArrival: Instant?
  private var lastVideo: Instant?
  private var sentAt: Instant?
  private(set) var dueAt: Instant?
  /// Of the newest message, kept for its memory.
  private var list: [Int16?] = []

  /// Often in the first moments, in which the sender measures the path; seldom for sound alone.
  private static let eagerTime = Interval.milliseconds(500)
  private static let eager = Interval.milliseconds(5)
  private static let steady = Interval.milliseconds(25)
  private static let soundOnly = Interval.milliseconds(100)
  /// How much earlier feedback may leave so as to leave with something else: less than it takes until
  /// the next packet of sound, which at 10 ms each makes it leave with every second one.
  private static let company = Interval.milliseconds(10)
  /// Packets in one message, so that it fits a datagram, and arrivals that may wait.
  private static let packetLimit = 380
  private static let waitLimit = 2_048

  /// Returns how many packets that were sent before this one, and after all others that came, did
  /// not come.
  mutating func insert(_ number: SequenceNumber, isVideo: Bool, at now: Instant) -> Int64 {
    if arrivals.count == Self.waitLimit { arrivals.removeFirst() }
    let index = unwrapper.index(of: number)
    let gap = highest.map { max(0, index - $0 - 1) } ?? 0
    highest = highest.map { max($0, index) } ?? index
    arrivals.append((index, now.nanoseconds / TransportFeedback.tick.nanoseconds))
    let first = firstArrival ?? now
    firstArrival = first
    if isVideo { lastVideo = now }
    let hasVideo = lastVideo.map { now - $0 < .milliseconds(300) } ?? false
    let interval =
      now - first < Self.eagerTime ? Self.eager : hasVideo ? Self.steady : Self.soundOnly
    let due = (sentAt ?? now) + interval
    dueAt = dueAt.map { min($0, due) } ?? due
    return gap
  }

  /// A packet leaves for the peer now. Feedback that is due soon goes with it: by itself it wakes this
  /// computer to send it and the peer's to read it.
  mutating func noteLeaving(at now: Instant) {
    if let dueAt, dueAt - now <= Self.company { self.dueAt = min(dueAt, now) }
  }

  /// Feedback about what arrived since the last, to be asked for until it is `nil`; that it is unless
  /// it is due.
  mutating func nextDue(at now: Instant) -> TransportFeedback? {
    if let dueAt, dueAt <= now {
      self.dueAt = nil
      sentAt = now
      arrivals.sort { $0.index < $1.index }
      told = 0
    }
    guard told < arrivals.count, dueAt == nil else { return nil }
    let message = nextMessage()
    if told == arrivals.count { arrivals.removeAll(keepingCapacity: true) }
    return message
  }

  private mutating func nextMessage() -> TransportFeedback {
    let first = arrivals[told]
    // Begins where the last one ended, so that losses between two are told; not too far back.
    var base = first.index
    if let nextBase, nextBase < base, base - nextBase < Int64(Self.packetLimit / 2) {
      base = nextBase
    }
    var clock = first.tick / TransportFeedback.ticksPerReference
    let reference = UInt32(truncatingIfNeeded: clock) & 0xFF_FFFF
    clock *= TransportFeedback.ticksPerReference
    list.removeAll(keepingCapacity: true)
    while told < arrivals.count {
      let arrival = arrivals[told]
      let place = Int(arrival.index - base)
      guard place < Self.packetLimit, let step = Int16(exactly: arrival.tick - clock) else { break }
      told += 1
      // A duplicate of the packet just listed.
      guard place >= list.count else { continue }
      while list.count < place { list.append(nil) }
      list.append(step)
      clock = arrival.tick
    }
    let end = base + Int64(list.count)
    nextBase = nextBase.map { max($0, end) } ?? end
    messageCount &+= 1
    return TransportFeedback(
      reporter: MediaStream.Source.video, source: 0, base: SequenceNumber(base),
      referenceTime: reference, count: messageCount &- 1, arrivals: list)
  }
}
