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
}
