import Units

/// What the peer's clock showed when a link was made (`Clock`): how fast its media can come, before any
/// of it came. Where a network fails right then, all that comes first has waited for seconds, and
/// compared with one another none of it is late.
struct PeerClock {
  /// `time` on the peer's clock came at `at`.
  private struct Reading {
    var time: Interval
    var at: Instant
    var transit: Interval { at - Instant.zero - time }
  }
  /// Not compared with yet: a medium's timestamps mean nothing before its first sender report.
  private var forSound: Reading?
  private var forPictures: Reading?

  /// Two clocks drift apart, and paths change.
  private static let memory = Interval.seconds(20)

  mutating func note(_ time: Interval, at now: Instant) {
    let reading = Reading(time: time, at: now)
    forSound = faster(forSound, reading)
    forPictures = faster(forPictures, reading)
  }

  private func faster(_ known: Reading?, _ new: Reading) -> Reading {
    guard let known, new.at - known.at <= Self.memory, known.transit < new.transit else {
      return new
    }
    return known
  }

  /// Tells each of them once what it does not know yet.
  mutating func tell(
    sound: inout MediaAge, pictures: inout MediaAge, _ sync: LipSync, at now: Instant
  ) {
    if let reading = forSound, let time = sync.soundTime(ofClock: reading.time) {
      if now - reading.at <= Self.memory { sound.compare(with: time, from: reading.at, at: now) }
      forSound = nil
    }
    if let reading = forPictures, let time = sync.pictureTime(ofClock: reading.time) {
      if now - reading.at <= Self.memory { pictures.compare(with: time, from: reading.at, at: now) }
      forPictures = nil
    }
  }
}
