import Receiving
import Sending
import Testing
import Units

@Suite struct CallTests {
  @Test func `on a clean path every frame is given out, at once and in order`() {
    var call = VirtualCall(seed: 1)
    call.run(for: .seconds(10))
    #expect(call.problems == [])
    #expect(call.skipped == 0)
    #expect(call.shown.count >= call.encoded - 2)
    #expect(call.keyFrames == 1)
    let delays = call.shown.map { $0.decodedAt - $0.capturedAt }
    #expect(delays.percentile(0.5) <= .milliseconds(28), "25 ms of them are the path's")
    #expect(delays.percentile(0.99) <= .milliseconds(45))
  }
}
