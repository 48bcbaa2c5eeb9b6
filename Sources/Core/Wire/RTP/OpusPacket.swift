/// What the first bytes of an Opus packet say about its length (RFC 6716 §3.1 and §3.2).
package enum OpusPacket {
  /// Samples at 48 kHz in `packet`; `nil` when it breaks the format or lasts more than 120 ms.
  package static func samples(of packet: [UInt8]) -> Int? {
    guard let head = packet.first else { return nil }
    let frames: Int
    switch head & 3 {
    case 0: frames = 1
    case 1, 2: frames = 2
    default:
      guard packet.count >= 2, packet[1] & 0x3F > 0 else { return nil }
      frames = Int(packet[1] & 0x3F)
    }
    let samples = frames * samplesInFrame(configuration: head >> 3)
    return samples <= 5_760 ? samples : nil
  }

  private static func samplesInFrame(configuration: UInt8) -> Int {
    switch configuration {
    case 0...11: [480, 960, 1_920, 2_880][Int(configuration & 3)]
    case 12...15: [480, 960][Int(configuration & 1)]
    default: [120, 240, 480, 960][Int(configuration & 3)]
    }
  }
}
