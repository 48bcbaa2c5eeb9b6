import Testing
import Units

@testable import Receiving

@Suite struct MediaAgeTests {
  private let roundTrip = Interval.milliseconds(50)
  /// The sender's clock is 20 s behind.
  private func captured(_ at: Int64) -> Interval { .milliseconds(at) - .seconds(20) }
  private func instant(_ milliseconds: Int64) -> Instant { .zero + .milliseconds(milliseconds) }

  /// Pictures of every 33 ms that take `transit`, until `end`.
  private func age(transit: Int64, until end: Int64) -> MediaAge {
    var age = MediaAge()
    for at in stride(from: 0, to: end, by: 33) {
      age.note(captured(at), roundTrip: roundTrip, at: instant(at + transit))
    }
    return age
  }

  @Test func `a picture is shown until it is 300 ms and two round trips late`() {
    let age = age(transit: 40, until: 2_000)
    let picture = captured(2_000)
    #expect(age.admitsPicture(picture, onStream: false, at: instant(2_040)))
    #expect(age.admitsPicture(picture, onStream: false, at: instant(2_439)))
    #expect(!age.admitsPicture(picture, onStream: false, at: instant(2_442)))
  }

  @Test func `on a stream round trips excuse no picture, since sound goes on at the newest`() {
    var age = MediaAge()
    for at in stride(from: 0 as Int64, to: 2_000, by: 33) {
      age.note(captured(at), roundTrip: .milliseconds(600), at: instant(at + 340))
    }
    #expect(age.admitsPicture(captured(2_000), onStream: false, at: instant(3_839)))
    #expect(!age.admitsPicture(captured(2_000), onStream: false, at: instant(3_842)))
    #expect(age.admitsPicture(captured(2_000), onStream: true, at: instant(2_739)))
    #expect(!age.admitsPicture(captured(2_000), onStream: true, at: instant(2_742)))
  }

  @Test func `sound is heard until it is 300 ms and two round trips late`() {
    var age = age(transit: 40, until: 2_000)
    let late = age.admitsSound(captured(2_000), at: instant(2_442))
    #expect(!late)
    let early = age.admitsSound(captured(2_000), at: instant(2_439))
    #expect(early)
  }

  @Test func `what comes later by more than 300 ms, or after a pause, does not follow`() {
    func follows(late: Int64, after pause: Int64) -> Bool {
      var age = age(transit: 40, until: 2_000)
      // Heard 390 ms late, at 2 430.
      let isHeard = age.admitsSound(captured(2_000), at: instant(2_430))
      #expect(isHeard)
      let at = 2_430 + pause
      return age.admitsSound(captured(at - 430 - late), at: instant(at))
    }
    #expect(follows(late: 290, after: 20))
    #expect(!follows(late: 310, after: 20))
    #expect(follows(late: 290, after: 490))
    #expect(!follows(late: 290, after: 510))
  }

  @Test func `pictures that never came in time are late by what came faster`() {
    var age = MediaAge()
    for at in stride(from: 0 as Int64, to: 1_000, by: 20) {
      age.note(captured(at), roundTrip: roundTrip, at: instant(at + 40))
    }
    for at in stride(from: 0 as Int64, to: 1_000, by: 33) {
      age.note(captured(at), roundTrip: roundTrip, at: instant(at + 1_040))
      #expect(!age.admitsPicture(captured(at), onStream: false, at: instant(at + 1_040)))
    }
  }

  @Test func `a path that became a second longer is believed after a second`() {
    var age = age(transit: 40, until: 2_000)
    var admitted: [Int64] = []
    for at in stride(from: 2_000 as Int64, to: 6_000, by: 33) {
      age.note(captured(at), roundTrip: roundTrip, at: instant(at + 1_040))
      if age.admitsPicture(captured(at), onStream: false, at: instant(at + 1_040)) {
        admitted.append(at)
      }
    }
    #expect(admitted.first.map { $0 > 2_900 && $0 < 4_300 } == true)
    #expect(admitted.count > 50)
  }

  @Test func `what waited in a socket for seconds is not shown`() {
    var age = age(transit: 40, until: 2_000)
    for at in stride(from: 2_000 as Int64, to: 12_000, by: 33) {
      // All of it comes at once.
      age.note(captured(at), roundTrip: roundTrip, at: instant(12_100))
      let isLate = 12_100 - at > 440
      let isAdmitted = age.admitsPicture(captured(at), onStream: false, at: instant(12_100))
      #expect(isAdmitted != isLate, "\(at)")
    }
  }

  @Test func `a backlog that drains slowly over many seconds is no longer path`() {
    var age = age(transit: 40, until: 2_000)
    // Seven seconds wait in TCP and come out a little faster than they went in: 7 s, 6.5 s, 6 s…
    var shown = 0
    for number in 0..<60 as Range<Int64> {
      let picture = captured(2_000 + number * 33 * 2)
      let at = 9_000 + number * 33
      age.note(picture, roundTrip: roundTrip, at: instant(at))
      if age.admitsPicture(picture, onStream: false, at: instant(at)) { shown += 1 }
    }
    #expect(shown == 0)
  }

  @Test func `a backlog of eight seconds that drains as slowly as it grew is no longer path`() {
    var age = age(transit: 40, until: 2_000)
    for at in stride(from: 2_000 as Int64, to: 7_000, by: 33) {
      age.note(captured(at), roundTrip: roundTrip, at: instant(at + 8_040))
      #expect(!age.admitsPicture(captured(at), onStream: false, at: instant(at + 8_040)), "\(at)")
    }
  }

  @Test func `two seconds that stood still and drain within two more are no longer path`() {
    var age = age(transit: 40, until: 2_000)
    for at in stride(from: 2_000 as Int64, to: 6_400, by: 33) {
      let arrival = 4_240 + (at - 2_000) / 2
      age.note(captured(at), roundTrip: roundTrip, at: instant(arrival))
      let isLate = arrival - at > 440
      #expect(
        age.admitsPicture(captured(at), onStream: false, at: instant(arrival)) != isLate, "\(at)")
    }
  }

  @Test func `when nothing else has come for twenty seconds, any path is believed`() {
    var age = age(transit: 40, until: 2_000)
    for at in stride(from: 2_000 as Int64, to: 24_000, by: 33) {
      age.note(captured(at), roundTrip: roundTrip, at: instant(at + 8_040))
    }
    #expect(age.admitsPicture(captured(24_000), onStream: false, at: instant(32_040)))
  }

  @Test func `a round trip that was measured through a stall excuses nothing`() {
    var age = age(transit: 40, until: 2_000)
    age.note(captured(2_000), roundTrip: .seconds(3), at: instant(5_000))
    #expect(!age.admitsPicture(captured(2_000), onStream: false, at: instant(5_000)))
  }

  @Test func `a queue that drains is no longer path, and what comes out of it is not shown`() {
    var age = age(transit: 40, until: 2_000)
    // Six seconds of pictures come at four times their speed.
    for at in stride(from: 2_000 as Int64, to: 8_000, by: 33) {
      let arrival = 8_000 + (at - 2_000) / 4
      age.note(captured(at), roundTrip: roundTrip, at: instant(arrival))
      let isLate = arrival - at > 440
      #expect(
        age.admitsPicture(captured(at), onStream: false, at: instant(arrival)) != isLate, "\(at)")
    }
  }
}
