import Testing
import Units

@testable import Receiving

@Suite struct PictureAgeTests {
  private let roundTrip = Interval.milliseconds(50)
  private func timestamp(_ at: Instant) -> Int64 {
    Int64(((at - .zero).seconds * 90_000).rounded())
  }
  private func instant(_ milliseconds: Int64) -> Instant { .zero + .milliseconds(milliseconds) }

  /// Pictures of every 33 ms that take `transit`, until `end`.
  private func age(transit: Int64, until end: Int64) -> PictureAge {
    var age = PictureAge()
    for at in stride(from: 0, to: end, by: 33) {
      age.note(timestamp(instant(at)), roundTrip: roundTrip, at: instant(at + transit))
    }
    return age
  }

  @Test func `a picture is shown until it is 300 ms and two round trips late`() {
    let age = age(transit: 40, until: 2_000)
    let captured = timestamp(instant(2_000))
    #expect(age.admits(captured, at: instant(2_040)))
    #expect(age.admits(captured, at: instant(2_439)))
    #expect(!age.admits(captured, at: instant(2_442)))
  }

  @Test func `a path that became a second longer is believed after a second`() {
    var age = age(transit: 40, until: 2_000)
    var admitted: [Int64] = []
    for at in stride(from: 2_000 as Int64, to: 6_000, by: 33) {
      age.note(timestamp(instant(at)), roundTrip: roundTrip, at: instant(at + 1_040))
      if age.admits(timestamp(instant(at)), at: instant(at + 1_040)) {
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
      age.note(timestamp(instant(at)), roundTrip: roundTrip, at: instant(12_100))
      let isLate = 12_100 - at > 440
      let isAdmitted = age.admits(timestamp(instant(at)), at: instant(12_100))
      #expect(isAdmitted != isLate, "\(at)")
    }
  }

  @Test func `a round trip that was measured through a stall excuses nothing`() {
    var age = age(transit: 40, until: 2_000)
    age.note(timestamp(instant(2_000)), roundTrip: .seconds(3), at: instant(5_000))
    #expect(!age.admits(timestamp(instant(2_000)), at: instant(5_000)))
  }

  @Test func `a queue that drains is no longer path, and what comes out of it is not shown`() {
    var age = age(transit: 40, until: 2_000)
    // Six seconds of pictures come at four times their speed.
    for at in stride(from: 2_000 as Int64, to: 8_000, by: 33) {
      let arrival = 8_000 + (at - 2_000) / 4
      age.note(timestamp(instant(at)), roundTrip: roundTrip, at: instant(arrival))
      let isLate = arrival - at > 440
      #expect(age.admits(timestamp(instant(at)), at: instant(arrival)) != isLate, "\(at)")
    }
  }
}
