import Testing
import Units
import Wire

@testable import Sending

@Suite struct PacerWaitTests {
  private func packet(
    _ medium: Pacer.Medium, bytes: Int, timestamp: UInt32 = 0
  ) -> Pacer.Packet {
    Pacer.Packet(
      medium: medium,
      packet: RTPPacket(
        isMarked: true, payloadType: 96, sequence: SequenceNumber(1), timestamp: timestamp,
        source: 1, payload: [1]), size: ByteCount(bytes))
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

  @Test(arguments: [480, 960, 2_880] as [UInt32])
  func `of sound that may not leave the newest 300 ms are kept`(samples: UInt32) {
    var pacer = Pacer(rate: .kilobits(100))
    pacer.isBlocked = true
    // Around the wrap of RTP's timestamps.
    let first = UInt32.max - 10 * samples
    for number in 0..<200 as Range<UInt32> {
      pacer.append(packet(.audio, bytes: 160, timestamp: first &+ number &* samples))
    }
    let newest = first &+ 199 &* samples
    pacer.isBlocked = false
    var ages: [UInt32] = []
    while let sound = pacer.next(at: .zero) { ages.append(newest &- sound.packet.timestamp) }
    #expect(ages == (0...14_400 / samples).reversed().map { $0 * samples })
  }

  @Test func `a tenth of a second ends no earlier by a clock that is fast`() {
    var window = PaceWindow()
    window.limit = ByteCount(2_000)
    let start = Instant(nanoseconds: 1_000_000_000)
    window.add(ByteCount(2_000), at: start)
    // 0.01 % fast, both ways.
    let end = start + .milliseconds(100) + .microseconds(20)
    let opening = window.opens(for: ByteCount(1), at: end)
    #expect(opening > end)
    let later = window.opens(for: ByteCount(1), at: opening)
    #expect(later == opening && opening < end + .milliseconds(1))
  }
}
