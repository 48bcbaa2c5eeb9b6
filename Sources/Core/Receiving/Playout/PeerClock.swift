import Units

/// What the peer's clock showed when a link was made and when pings were answered (`Clock`,
/// `ClockedPong`): how fast its media can come, before any of it came. Where a network fails right when
/// a link is made, all that comes first has waited for seconds, and compared with one another none
/// of it is late.
struct PeerClock {
  /// `time` on the peer's clock came at `at`, and was not past yet `roundTrip` before.
  private struct Reading {
    var time: Interval
    var at: Instant
    var roundTrip: Interval
    var transit: Interval { at - Instant.zero - time }
    /// No clock is ahead by more.
    var least: Interval { transit - roundTrip }
  }
  /// What a medium was not compared with yet: its timestamps mean nothing before its first sender
  /// report.
  private struct Waiting {
    /// The fastest.
    var fastest: Reading?
    /// The one that tells most of what was not fast.
    var surest: Reading?

    mutating func note(_ new: Reading) {
      fastest = better(fastest, new) { $0.transit < $1.transit }
      surest = better(surest, new) { $0.least > $1.least }
    }

    private func better(
      _ known: Reading?, _ new: Reading, _ isBetter: (Reading, Reading) -> Bool
    ) -> Reading {
      guard let known, new.at - known.at <= PeerClock.memory, isBetter(known, new) else {
        return new
      }
      return known
    }

    mutating func tell(
      _ age: inout MediaAge, at now: Instant, _ mediaTime: (Interval) -> Interval?
    ) {
      guard let fastest, let surest, let fast = mediaTime(fastest.time),
        let sure = mediaTime(surest.time)
      else { return }
      if now - surest.at <= PeerClock.memory {
        age.bound(sure, from: surest.at, roundTrip: surest.roundTrip, at: now)
      }
      if now - fastest.at <= PeerClock.memory { age.compare(with: fast, from: fastest.at, at: now) }
      self = Waiting()
    }
  }
  private var forSound = Waiting()
  private var forPictures = Waiting()

  /// Two clocks drift apart, and paths change.
  private static let memory = Interval.seconds(20)

  mutating func note(_ time: Interval, roundTrip: Interval, at now: Instant) {
    let reading = Reading(time: time, at: now, roundTrip: roundTrip)
    forSound.note(reading)
    forPictures.note(reading)
  }

  /// Tells each of them once what it does not know yet.
  mutating func tell(
    sound: inout MediaAge, pictures: inout MediaAge, _ sync: LipSync, at now: Instant
  ) {
    forSound.tell(&sound, at: now) { sync.soundTime(ofClock: $0) }
    forPictures.tell(&pictures, at: now) { sync.pictureTime(ofClock: $0) }
  }
}
