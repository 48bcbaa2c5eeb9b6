import ErasureCoding
import Receiving
import Testing
import Units
import Wire

/// Feedback leaves with our own sound: by itself it would wake both computers.
@Suite struct FeedbackCompanyTests {
  private func packet(_ number: Int, isVideo: Bool) -> [UInt8] {
    RTPPacket(
      isMarked: false,
      payloadType: isVideo ? MediaStream.PayloadType.vp8 : MediaStream.PayloadType.opus,
      sequence: SequenceNumber(UInt16(number)), timestamp: UInt32(number * 480),
      source: isVideo ? MediaStream.Source.video : MediaStream.Source.audio,
      transportSequence: SequenceNumber(UInt16(number)), payload: [0x48, 0, 1, 2][...]
    ).encoded
  }

  private func feedback(_ receiver: inout MediaReceiver) -> Int {
    var count = 0
    while let output = receiver.nextOutput() {
      guard case .report(let bytes) = output, let compound = try? RTCPCompound(decoding: bytes[...])
      else { continue }
      for case .transportFeedback in compound.packets { count += 1 }
    }
    return count
  }

  /// Ten seconds: a packet comes every 10 ms, of pictures every third where there are any, and one of
  /// ours leaves `ownSound` apart. How much feedback of the last nine left with it, and how much by itself.
  private func call(
    hasVideo: Bool, ownSound: Int?
  ) -> (together: Int, alone: Int) {
    var receiver = MediaReceiver(erasureCode: CauchyErasureCode())
    var count = (together: 0, alone: 0)
    for tick in 0..<10_000 {
      let now = Instant.zero + .seconds(1) + .milliseconds(Int64(tick))
      var alone = 0
      var together = 0
      if let due = receiver.nextDeadline, due.at <= now { receiver.handle(.timeout, at: now) }
      if tick % 10 == 3 {
        let number = tick / 10
        receiver.handle(.packet(packet(number, isVideo: hasVideo && number % 3 == 0)[...]), at: now)
      }
      alone = feedback(&receiver)
      if let ownSound, tick % ownSound == 7 {
        receiver.handle(.soundLeaves, at: now)
        together = feedback(&receiver)
      }
      if tick >= 1_000 {
        count.together += together
        count.alone += alone
      }
    }
    return count
  }

  @Test func `while pictures come, all of it leaves with every second packet of our sound`() {
    let count = call(hasVideo: true, ownSound: 10)
    #expect(count.alone == 0)
    #expect((449...451).contains(count.together))
  }

  @Test func `longer packets of sound take it along, too`() {
    let count = call(hasVideo: true, ownSound: 20)
    #expect(count.alone == 0)
    #expect((449...451).contains(count.together))
  }

  @Test func `without sound of ours it leaves when it is due`() {
    let count = call(hasVideo: true, ownSound: nil)
    #expect(count.together == 0)
    #expect((300...365).contains(count.alone))
  }

  @Test func `sound alone is told of as seldom as before`() {
    let count = call(hasVideo: false, ownSound: 10)
    #expect(count.alone == 0)
    #expect((80...101).contains(count.together))
  }
}
