import Testing
import Units
import Wire

@testable import Sending

@Suite struct PacerWaitTests {
  private func packet(_ medium: Pacer.Medium, bytes: Int) -> Pacer.Packet {
    Pacer.Packet(
      medium: medium,
      packet: RTPPacket(
        isMarked: true, payloadType: 96, sequence: SequenceNumber(1), timestamp: 0, source: 1,
        payload: [1]), size: ByteCount(bytes))
  }

  @Test func `sound sent over a path that carried next to nothing keeps no picture waiting after`()
  {
    var pacer = Pacer(rate: .kilobits(15))
    var now = Instant(nanoseconds: 1_000_000_000)
    for _ in 0..<250 {
      pacer.append(packet(.audio, bytes: 160))
      let sound = pacer.next(at: now)
      #expect(sound?.medium == .audio)
      now = now + .milliseconds(20)
    }
    pacer.rate = .kilobits(2_000)
    pacer.append(packet(.video, bytes: 1_200))
    let picture = pacer.next(at: now + .milliseconds(250))
    #expect(picture?.medium == .video)
  }
}
