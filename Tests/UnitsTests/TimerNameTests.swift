import Testing
import Units

@Suite struct TimerNameTests {
  @Test func `two literals with one text are one name`() {
    let nack: TimerName = "nack"
    let again = TimerName(stringLiteral: StaticString("nack"))
    #expect(nack == again)
    #expect(nack.hashValue == again.hashValue)
    #expect(nack != "pacer")
    #expect(nack.description == "nack")
  }

  @Test func `a deadline is copied without counting references`() {
    #expect(_isPOD(Deadline.self))
  }
}
