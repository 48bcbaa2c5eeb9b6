import Testing
import Units
import VideoCodec

struct EncoderSpeedTests {
  private let frame = Interval.milliseconds(33)

  @Test func `it stays at minus six while frames are encoded in time`() {
    var speed = EncoderSpeed()
    for _ in 0..<1_000 {
      let changed = speed.note(encodeTime: .milliseconds(20), frameInterval: frame)
      #expect(!changed)
    }
    #expect(speed.cpuUsed == -6)
  }

  @Test func `one slow frame changes nothing`() {
    var speed = EncoderSpeed()
    for _ in 0..<100 { _ = speed.note(encodeTime: .milliseconds(5), frameInterval: frame) }
    _ = speed.note(encodeTime: .milliseconds(200), frameInterval: frame)
    #expect(speed.cpuUsed == -6)
  }

  @Test func `lasting overload makes it faster and relief gives quality back`() {
    var speed = EncoderSpeed()
    var seen: [Int] = []
    for _ in 0..<500 {
      if speed.note(encodeTime: .milliseconds(40), frameInterval: frame) {
        seen.append(speed.cpuUsed)
      }
    }
    #expect(seen == [-8, -12, -16])
    for _ in 0..<500 {
      if speed.note(encodeTime: .milliseconds(4), frameInterval: frame) {
        seen.append(speed.cpuUsed)
      }
    }
    #expect(seen == [-8, -12, -16, -12, -8, -6])
  }
}
