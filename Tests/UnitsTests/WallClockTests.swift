import Testing
import Units

@Suite struct WallClockTests {
  private let read = Instant(nanoseconds: 5_000_000_000)

  @Test func `wall time goes on with the monotonic clock from where it was read`() {
    let clock = WallClock(unixSeconds: 1_800_000_000, at: read)
    #expect(clock.unixSeconds(at: read) == 1_800_000_000)
    #expect(clock.unixSeconds(at: read + .seconds(90.5)) == 1_800_000_090)
    #expect(clock.instant(ofUnixSeconds: 1_800_000_060) == read + .seconds(60))
    #expect(clock.instant(ofUnixSeconds: 1_799_999_940) == read - .seconds(60))
  }

  @Test func `times that no clock reaches are clamped and never trap`() {
    for seconds in [0, 1_800_000_000, Int64.max / 4] {
      let clock = WallClock(unixSeconds: seconds, at: read)
      #expect(clock.instant(ofUnixSeconds: .max) == .distantFuture)
      #expect(clock.instant(ofUnixSeconds: 0) <= read)
    }
  }
}
