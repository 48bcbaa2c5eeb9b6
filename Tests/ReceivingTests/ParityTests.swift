import ErasureCoding
import Media
import Receiving
import Sending
import Testing
import Units
import Wire

/// Parity made by hand, so that every packet's fate is chosen.
@Suite struct ParityTests {
  private let code = CauchyErasureCode()

  /// A key frame of `count` packets as a sender would cut it, with its parity behind it.
  private func frame(
    number: Int = 0, packets count: Int, parity parityCount: Int, first: UInt16 = 1_010
  ) -> (data: [RTPPacket], parity: [RTPPacket], bytes: [UInt8]) {
    let bytes = ScriptedFrame(
      number: number, reference: number == 0 ? nil : number - 1, byteCount: count * 30 - 7
    ).bytes
    let data = (0..<count).map { place in
      let payload = VP8Payload(
        isDiscardable: false, startsFrame: place == 0, pictureID: UInt16(number),
        baseLayerIndex: UInt8(number), temporalLayer: 0, isLayerSync: false,
        part: bytes[place * bytes.count / count..<(place + 1) * bytes.count / count])
      return RTPPacket(
        isMarked: place == count - 1, payloadType: MediaStream.PayloadType.vp8,
        sequence: SequenceNumber(first &+ UInt16(place)), timestamp: UInt32(number) * 3_000,
        source: MediaStream.Source.video, payload: payload.encoded[...])
    }
    let length = 2 + data.map(\.payload.count).max()!
    var shards: [UInt8] = []
    for packet in data {
      ParityShard.append(packet.payload, isMarked: packet.isMarked, length: length, to: &shards)
    }
    var made: [UInt8] = []
    code.encode(shards, count: count, length: length, parityCount: parityCount, into: &made)
    let parity = (0..<parityCount).map { place in
      RTPPacket(
        isMarked: false, payloadType: MediaStream.PayloadType.vp8Parity,
        sequence: SequenceNumber(UInt16(place)), timestamp: UInt32(number) * 3_000,
        source: MediaStream.Source.videoParity,
        payload: ParityPayload(
          first: SequenceNumber(first), count: count, number: place, parityCount: parityCount,
          shard: made[place * length..<(place + 1) * length]
        ).encoded[...])
    }
    return (data, parity, bytes)
  }

  /// A receiver, what it gave out, and what it asked for again.
  private struct Run {
    var receiver = MediaReceiver(erasureCode: CauchyErasureCode())
    var now = Instant(nanoseconds: 1_000_000_000)
    var frames: [[UInt8]] = []
    var asked: [UInt16] = []

    mutating func take(_ packets: [RTPPacket], after step: Interval = .microseconds(500)) {
      for packet in packets {
        now += step
        receiver.handle(.packet(packet.encoded[...]), at: now)
        drain()
      }
    }
    mutating func wait(_ interval: Interval) {
      let end = now + interval
      while let deadline = receiver.nextDeadline, deadline.at <= end {
        now = max(now, deadline.at)
        receiver.handle(.timeout, at: now)
        drain()
      }
      now = end
    }
    private mutating func drain() {
      while let output = receiver.nextOutput() {
        switch output {
        case .decode(let frame, _): frames.append(frame.bytes)
        case .report(let bytes):
          for case .nack(let nack) in (try? RTCPCompound(decoding: bytes))?.packets ?? [] {
            asked += nack.lost.map(\.value)
          }
        default: break
        }
      }
    }
  }

  /// A receiver that has seen a whole frame with parity, and so expects it.
  private func expecting() -> Run {
    var run = Run()
    run.receiver.handle(.roundTrip(.milliseconds(50)), at: run.now)
    let (data, parity, _) = frame(packets: 2, parity: 1, first: 1_008)
    run.take(data + parity)
    run.wait(.milliseconds(20))
    run.frames = []
    return run
  }

  @Test(arguments: 1...5, 1...3)
  func `a frame comes out whole whichever of its packets are lost, up to its parity`(
    count: Int, parityCount: Int
  ) {
    let (data, parity, bytes) = frame(number: 1, packets: count, parity: parityCount)
    for fate in 0..<(1 << (count + parityCount)) {
      let sent = data + parity
      let came = sent.indices.filter { fate >> $0 & 1 == 1 }.map { sent[$0] }
      guard !came.isEmpty else { continue }
      var run = expecting()
      run.take(came)
      let isEnough = came.count >= count
      #expect(run.frames == (isEnough ? [bytes] : []), "fate \(fate)")
      run.wait(.milliseconds(40))
      #expect(run.asked.isEmpty == isEnough, "fate \(fate)")
      // What is asked for again completes it too, parity or not.
      if !isEnough {
        run.take(data)
        #expect(run.frames == [bytes], "fate \(fate)")
      }
    }
  }

  @Test func `a loss is asked for when the last parity was too little, not before`() {
    let (data, parity, bytes) = frame(number: 1, packets: 6, parity: 2)
    var run = expecting()
    run.take([data[0], data[4], data[5]])
    #expect(run.asked == [], "its parity may still come")
    run.take([parity[0]])
    #expect(run.asked == [])
    run.take([parity[1]])
    run.wait(.zero)
    #expect(run.asked == [1_011, 1_012, 1_013])
    run.take([data[2]])
    #expect(run.frames == [bytes], "one of the three is enough")
    run.asked = []
    run.wait(.milliseconds(200))
    #expect(run.asked == [])
  }

  @Test func `a loss is asked for when the next frame begins, or nothing more comes`() {
    let (data, _, _) = frame(number: 1, packets: 4, parity: 2)
    let (next, _, _) = frame(number: 2, packets: 2, parity: 1, first: 1_014)
    var run = expecting()
    run.take([data[0], data[2], data[3]])
    #expect(run.asked == [])
    run.take([next[0]])
    run.wait(.zero)
    #expect(run.asked == [1_011])

    run = expecting()
    run.take([data[0], data[2], data[3]])
    run.wait(.milliseconds(30))
    #expect(run.asked.first == 1_011)
  }

  @Test func `parity tells that a frame's last packets were lost`() {
    let (data, parity, bytes) = frame(number: 1, packets: 4, parity: 2)
    var run = expecting()
    run.take([data[0], data[1]] + parity)
    #expect(run.frames == [bytes])
    run.wait(.milliseconds(200))
    #expect(run.asked == [])
  }

  @Test func `the rest of a frame that breaks off is asked for unseen, as much as frames have`() {
    let (before, parity, _) = frame(number: 1, packets: 5, parity: 1)
    let (data, _, bytes) = frame(number: 2, packets: 5, parity: 1, first: 1_015)
    var run = expecting()
    run.take(before + parity + [data[0], data[1]])
    run.wait(.milliseconds(15))
    #expect(run.asked == [1_017, 1_018, 1_019])
    run.take([data[2], data[3], data[4]])
    #expect(run.frames.last == bytes)
    run.asked = []
    run.wait(.milliseconds(300))
    #expect(run.asked == [])
  }

  @Test(arguments: [(2, false), (3, true)])
  func `sound tells that a whole frame was lost before it`(lost: Int, isAsked: Bool) {
    func sound(_ number: Int) -> RTPPacket {
      RTPPacket(
        isMarked: false, payloadType: MediaStream.PayloadType.opus,
        sequence: SequenceNumber(UInt16(number)), timestamp: UInt32(number) * 960,
        source: MediaStream.Source.audio,
        transportSequence: SequenceNumber(UInt16(number == 0 ? 0 : 1 + lost)), payload: [0x78, 1])
    }
    var run = expecting()
    run.take([sound(0)])
    run.wait(.milliseconds(20))
    run.take([sound(1)])
    #expect(run.asked == [], "what was lost may still show in the numbers of pictures")
    run.wait(.milliseconds(15))
    #expect(run.asked == (isAsked ? [1_010, 1_011, 1_012] : []))
    // The request may be lost; more often it is not worth repeating.
    run.wait(.milliseconds(280))
    #expect(run.asked.count == (isAsked ? 9 : 0))
  }

  @Test func `without parity before, a loss is asked for at once`() {
    let (data, _, _) = frame(packets: 4, parity: 0)
    var run = Run()
    run.take([data[0], data[2]])
    #expect(run.asked == [1_011])
  }

  @Test func `contradicting, broken or unknown parity is refused and forgotten`() {
    let (data, parity, bytes) = frame(number: 1, packets: 4, parity: 2)
    func altered(_ change: (inout ParityPayload) -> Void) -> RTPPacket {
      var packet = parity[1]
      var payload = try! ParityPayload(decoding: packet.payload)
      change(&payload)
      packet.payload = payload.encoded[...]
      return packet
    }
    let wrong = [
      altered { $0.count = 3 },
      altered { $0.parityCount = 7 },
      altered { $0.shard = $0.shard.dropLast() },
    ]
    for packet in wrong {
      var run = expecting()
      let before = run.receiver.refused
      run.take([data[0], data[1], parity[0], packet])
      #expect(run.receiver.refused == before + 1)
      run.take([parity[1]])
      #expect(run.frames == [bytes], "what came before it stays")
    }
    // Shards that are consistent with one another, but not with a packet.
    var run = expecting()
    run.take([data[0], data[1]])
    var garbage = parity
    for place in garbage.indices {
      for byte in 5..<garbage[place].payload.count { garbage[place].payload[byte] = 0xFF }
    }
    run.take(garbage)
    run.wait(.milliseconds(40))
    #expect(run.receiver.refused > 0)
    run.take(data)
    #expect(run.frames == [bytes], "retransmission still mends it")
  }
}
