import Judging
import Testing
import Units

@Suite struct EncodingEffortTests {
  private func stats(_ kilobits: String, _ speed: String, at seconds: Double) -> EventLine {
    EventLine(
      #"{"event":"stats","send":{"video_kbps":\#(kilobits),"encoder_speed":\#(speed)}}"#,
      at: .zero + .seconds(seconds))
  }

  @Test func `the encoder alone is given what the call told of the measured seconds`() {
    var log = EventLog()
    log.lines = [
      stats("300", "-6", at: 1),
      stats("1499.6", "-8", at: 2),
      EventLine(#"{"event":"chat","text":"hello"}"#, at: .zero + .seconds(2.5)),
      stats("0", "-8", at: 3),
      stats("1700", "null", at: 4),
      stats("1800", "-10", at: 5),
      stats("900", "-12", at: 6.5),
    ]
    let efforts = EncodingEffort.perSecond(
      of: log, from: .zero + .seconds(2), to: .zero + .seconds(6))
    #expect(
      efforts == [
        EncodingEffort(rate: .kilobits(1_500), cpuUsed: -8),
        EncodingEffort(rate: .kilobits(1_800), cpuUsed: -10),
      ])
  }
}
