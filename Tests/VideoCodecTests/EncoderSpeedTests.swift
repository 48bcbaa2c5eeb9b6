import Testing
import Units
import VideoCodec

struct EncoderSpeedTests {
  private let frame = Interval.milliseconds(33)

  private func changes(
    of speed: inout EncoderSpeed, encodeTime: Interval, frames: Int = 500
  ) -> [Int] {
    var seen: [Int] = []
    for _ in 0..<frames where speed.note(encodeTime: encodeTime, frameInterval: frame) {
      seen.append(speed.cpuUsed)
    }
    return seen
  }

  @Test func `it stays at minus six while a frame takes a fifth of its time`() {
    var speed = EncoderSpeed()
    #expect(changes(of: &speed, encodeTime: .milliseconds(7)).isEmpty)
    #expect(speed.cpuUsed == -6)
  }

  @Test func `one slow frame changes nothing`() {
    var speed = EncoderSpeed()
    _ = changes(of: &speed, encodeTime: .milliseconds(5), frames: 100)
    _ = speed.note(encodeTime: .milliseconds(200), frameInterval: frame)
    #expect(changes(of: &speed, encodeTime: .milliseconds(5), frames: 100).isEmpty)
    #expect(speed.cpuUsed == -6)
  }

  @Test func `delay is worth a little quality, and only overload is worth more`() {
    var speed = EncoderSpeed()
    #expect(changes(of: &speed, encodeTime: .milliseconds(20)) == [-8, -10])
    #expect(changes(of: &speed, encodeTime: .milliseconds(40)) == [-12, -16])
  }

  @Test func `relief gives quality back step by step`() {
    var speed = EncoderSpeed()
    _ = changes(of: &speed, encodeTime: .milliseconds(40))
    #expect(changes(of: &speed, encodeTime: .milliseconds(6)) == [-12, -10])
    #expect(changes(of: &speed, encodeTime: .milliseconds(2)) == [-8, -6])
  }
}
