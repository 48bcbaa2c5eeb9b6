import Testing
import Units
import VideoCodec

struct EncoderSpeedTests {
  private let frame = Interval.milliseconds(33)

  private func changes(
    of speed: inout EncoderSpeed, time: Interval, work: Interval? = nil, frames: Int = 500
  ) -> [Int] {
    var seen: [Int] = []
    for _ in 0..<frames
    where speed.note(encodeTime: time, processorTime: work ?? time, frameInterval: frame) {
      seen.append(speed.cpuUsed)
    }
    return seen
  }

  @Test func `it stays at minus six while a frame is a fifth of its time of work`() {
    var speed = EncoderSpeed()
    #expect(changes(of: &speed, time: .milliseconds(7)).isEmpty)
    #expect(speed.cpuUsed == -6)
  }

  @Test func `other programs that hold it up cost no quality`() {
    var speed = EncoderSpeed()
    #expect(changes(of: &speed, time: .milliseconds(20), work: .milliseconds(5)).isEmpty)
  }

  @Test func `one slow frame changes nothing`() {
    var speed = EncoderSpeed()
    _ = changes(of: &speed, time: .milliseconds(5), frames: 100)
    _ = changes(of: &speed, time: .milliseconds(200), frames: 1)
    #expect(changes(of: &speed, time: .milliseconds(5), frames: 100).isEmpty)
    #expect(speed.cpuUsed == -6)
  }

  @Test func `delay is worth a little quality, and only overload is worth more`() {
    var speed = EncoderSpeed()
    #expect(changes(of: &speed, time: .milliseconds(20)) == [-8, -10])
    #expect(changes(of: &speed, time: .milliseconds(40), work: .milliseconds(20)) == [-12, -16])
  }

  @Test func `relief gives quality back step by step`() {
    var speed = EncoderSpeed()
    _ = changes(of: &speed, time: .milliseconds(40))
    #expect(changes(of: &speed, time: .milliseconds(6)) == [-12, -10])
    #expect(changes(of: &speed, time: .milliseconds(2)) == [-8, -6])
  }
}
