import Simulation
import Testing
import Units

@Suite struct PictureAgeTests {
  private func instant(_ milliseconds: Int) -> Instant {
    .zero + .milliseconds(Int64(milliseconds))
  }

  private func age(_ pictures: [(captured: Int, arrived: Int)], end: Int) -> PictureAge {
    var age = PictureAge()
    for picture in pictures {
      age.add(capturedAt: instant(picture.captured), arrivedAt: instant(picture.arrived))
    }
    age.end(at: instant(end))
    return age
  }

  private func milliseconds(_ age: PictureAge, _ part: Double) -> Double? {
    age.percentile(part)?.milliseconds.rounded()
  }

  @Test func `it grows from a picture's delay until the next one comes`() {
    // From 20 to 60, then from 40 to 90.
    let age = age([(0, 20), (20, 60)], end: 110)
    #expect(milliseconds(age, 0) == 20)
    #expect(milliseconds(age, 1) == 90)
    // 20 ms at 20…40 alone, then both at once: half of 90 ms are spent below 40 + 12.5.
    #expect(age.percentile(0.5).map { abs($0.milliseconds - 52.5) < 0.1 } == true)
  }

  @Test func `a picture older than one that is there changes nothing`() {
    let newest = age([(0, 20), (40, 60)], end: 200)
    let withOld = age([(0, 20), (40, 60), (10, 70), (40, 80)], end: 200)
    #expect(milliseconds(withOld, 0.95) == milliseconds(newest, 0.95))
    #expect(milliseconds(withOld, 1) == 160)
  }

  @Test func `nothing that arrived has no age`() {
    #expect(age([], end: 1_000).percentile(0.95) == nil)
    #expect(age([(500, 1_000)], end: 1_000).percentile(0.95) == nil)
  }
}
