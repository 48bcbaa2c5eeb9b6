/// What the first bytes of an Opus packet say about its length (RFC 6716 §3.1 and §3.2).
package enum OpusPacket {
  /// Samples at 48 kHz in `packet`; `nil` when it breaks the format or lasts more than 120 ms.
  package static func samples(of packet: ArraySlice<UInt8>) -> Int? {
    guard let head = packet.first else { return nil }
    let frames: Int
    switch head & 3 {
    case 0: frames = 1
    case 1, 2: frames = 2
    default:
      frames = Int((packet.dropFirst().first ?? 0) & 0x3F)
      guard frames > 0 else { return nil }
    }
    let samples = frames * samplesInFrame(configuration: head >> 3)
    return samples <= 5_760 ? samples : nil
  }

  private static func samplesInFrame(configuration: UInt8) -> Int {
    switch configuration {
    case 0...11: configuration & 3 == 3 ? 2_880 : 480 << Int(configuration & 3)
    case 12...15: 480 << Int(configuration & 1)
    default: 120 << Int(configuration & 3)
    }
  }

  /// Whether `packet` holds the one before it again, coarsely (RFC 6716 §2.1.7): mono, one frame of at
  /// most 20 ms, not CELT alone. Its first bits are the voice activity and this (§4.2.3, §4.2.4).
  package static func hasRedundancy(_ packet: [UInt8]) -> Bool {
    guard packet.count >= 2, packet[0] & 7 == 0 else { return false }
    let configuration = packet[0] >> 3
    guard configuration < 16, configuration >= 12 || configuration & 3 <= 1 else { return false }
    return packet[1] & 0x40 != 0
  }
}
