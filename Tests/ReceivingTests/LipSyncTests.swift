import Receiving
import Sending
import Testing
import Units

@Suite struct LipSyncTests {
  @Test(arguments: [0, 25, 100], [5, 60])
  func `picture and sound are shown within 15 ms of each other`(delay: Int64, device: Int64) {
    var call = VirtualCall(seed: 21) { $0.delay = .milliseconds(delay) }
    call.deviceDelay = .milliseconds(device)
    call.run(for: .seconds(6))
    let skews = call.skews.dropFirst(30).map(\.magnitude)
    #expect(skews.count > 100)
    #expect(skews.percentile(0.95) <= .milliseconds(15))
    let told = call.receiver.takeStatistics(at: call.now + call.clockOffset).audioVideoSkew
    #expect(told.magnitude <= .milliseconds(15))
    #expect(call.problems == [])
  }

  @Test func `without sound no picture waits`() {
    var call = VirtualCall(seed: 22)
    call.hasAudio = false
    call.run(for: .seconds(5))
    #expect(call.shown.count > 140)
    #expect(call.shown.allSatisfy { $0.showAt == $0.decodedAt })
  }

  @Test func `pictures stop waiting when the sound stops`() {
    var call = VirtualCall(seed: 23)
    call.deviceDelay = .milliseconds(80)
    call.run(for: .seconds(5))
    #expect(call.shown.suffix(30).allSatisfy { $0.showAt > $0.decodedAt })
    call.hasAudio = false
    call.run(for: .seconds(3))
    #expect(call.shown.suffix(30).allSatisfy { $0.showAt == $0.decodedAt })
    #expect(call.problems == [])
  }

  @Test func `sound waits where pictures are late`() {
    // 700 kbit/s, at which a frame takes most of its interval to arrive.
    var call = VirtualCall(seed: 24) { $0.rate = .kilobits(700) }
    call.deviceDelay = .milliseconds(1)
    call.run(for: .seconds(20))
    let skews = call.skews.suffix(200).map(\.magnitude)
    #expect(skews.percentile(0.5) <= .milliseconds(15))
    #expect(skews.percentile(0.95) <= .milliseconds(30))
  }
}
