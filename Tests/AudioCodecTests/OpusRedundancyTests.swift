import AudioCodec
import Glibc
import Media
import Simulation
import Testing
import Units
import Wire

/// What libopus really does where packets are lost: the facts that `Core/Call/AudioPlan` and the
/// simulation's scripted microphone rest on.
@Suite struct OpusRedundancyTests {
  /// Vowel-like sound, louder and softer, its pitch gliding: voiced all the time.
  private static let voice: [Int16] = {
    var phase = 0.0
    return (0..<144_000).map { sample in
      let time = Double(sample) / 48_000
      phase += 2 * .pi * (140 + 30 * sin(2 * .pi * 0.7 * time)) / 48_000
      let wave = (1...20).reduce(0.0) { sum, harmonic in
        let frequency = 140 * Double(harmonic)
        let formants =
          exp(-pow((frequency - 600) / 300, 2)) + 0.6 * exp(-pow((frequency - 1_500) / 400, 2))
          + 0.3 * exp(-pow((frequency - 2_600) / 400, 2))
        return sum + sin(phase * Double(harmonic)) * (0.05 + formants)
      }
      return Int16(wave * (0.6 + 0.4 * sin(2 * .pi * 3 * time)) * 4_000)
    }
  }()

  private func packets(
    _ bitrate: Bitrate, expectedLossPercent: Int, samples: Int
  ) throws -> [[UInt8]] {
    let encoder = try OpusSpeechEncoder()
    encoder.set(bitrate: bitrate, expectedLossPercent: expectedLossPercent)
    return try stride(from: 0, to: Self.voice.count - samples, by: samples).map {
      try encoder.encode(Array(Self.voice[$0..<$0 + samples]))
    }
  }

  @Test(arguments: [480, 960])
  func `the scripted microphone has redundancy where libopus gives it`(samples: Int) throws {
    for kilobits in [12, 14, 16, 19, 20, 24, 28, 32] as [Int64] {
      for loss in [0, 3, 5, 10, 20] {
        let made = try packets(
          .kilobits(kilobits), expectedLossPercent: loss, samples: samples
        ).dropFirst(10)
        let holding = made.count { OpusPacket.hasRedundancy($0) }
        let expected = ScriptedMicrophone.hasRedundancy(
          bitrate: .kilobits(kilobits), expectedLossPercent: loss,
          packet: .seconds(Double(samples) / 48_000))
        // Where libopus gives some, the script may say none, never the other way round.
        if expected {
          #expect(holding > made.count / 2, "\(kilobits) kbit/s, \(loss) %")
        } else if loss == 0 {
          #expect(holding == 0, "\(kilobits) kbit/s, \(loss) %")
        }
      }
    }
  }

  /// Signal to noise against the loss-free decoding, in dB, of the lost packets alone.
  private func fidelity(
    _ packets: [[UInt8]], samples: Int, restore: (OpusSpeechDecoder, Int) throws -> [Int16]
  ) throws -> Double {
    let whole = try OpusSpeechDecoder()
    let lossy = try OpusSpeechDecoder()
    var signal = 1.0
    var noise = 1.0
    for index in packets.indices.dropLast() {
      let right = try whole.decode(packets[index])
      guard index % 7 == 5 else {
        _ = try lossy.decode(packets[index])
        continue
      }
      let found = try restore(lossy, index)
      #expect(found.count == samples)
      for (one, other) in zip(right, found) {
        signal += Double(one) * Double(one)
        noise += (Double(one) - Double(other)) * (Double(one) - Double(other))
      }
    }
    return 10 * log10(signal / noise)
  }

  @Test func `redundancy gives a lost packet back, a copy does so exactly, and concealment not`()
    throws
  {
    let made = try packets(.kilobits(32), expectedLossPercent: 10, samples: 960)
    let copied = try fidelity(made, samples: 960) { decoder, index in
      try decoder.decode(made[index])
    }
    let recovered = try fidelity(made, samples: 960) { decoder, index in
      try decoder.recover(from: made[index + 1], count: 960)
    }
    let concealed = try fidelity(made, samples: 960) { decoder, _ in
      try decoder.conceal(count: 960)
    }
    #expect(copied > 60)
    #expect(recovered > concealed + 3)
    #expect(recovered < copied)
  }

  @Test func `redundancy reaches one packet back and no further`() throws {
    let made = try packets(.kilobits(32), expectedLossPercent: 10, samples: 960)
    let two = try fidelity(made, samples: 960) { decoder, index in
      try decoder.recover(from: made[min(index + 2, made.count - 1)], count: 960)
    }
    let one = try fidelity(made, samples: 960) { decoder, index in
      try decoder.recover(from: made[index + 1], count: 960)
    }
    #expect(two < one - 3)
  }

  @Test(arguments: [1_920, 2_880])
  func `long packets decode whole and hold no redundancy that could be used`(samples: Int) throws {
    let decoder = try OpusSpeechDecoder()
    for packet in try packets(.kilobits(16), expectedLossPercent: 10, samples: samples) {
      #expect(OpusPacket.samples(of: packet[...]) == samples)
      #expect(!OpusPacket.hasRedundancy(packet))
      #expect(packet.count <= RedundantAudio.byteLimit)
      #expect(try decoder.decode(packet).count == samples)
    }
  }
}
