import COpus
package import Media

/// Opus to 48 kHz mono. Whatever a packet holds, it throws and does not trap. One owner.
package final class OpusSpeechDecoder: AudioDecoder {
  private let decoder: OpaquePointer
  /// 120 ms, the longest packet (RFC 6716 §3.2.5).
  private static let longestPacket = 5_760

  package init() throws(MediaError) {
    var status: Int32 = 0
    guard let made = opus_decoder_create(Int32(AudioFormat.sampleRate), 1, &status) else {
      throw MediaError(
        .failed, "the Opus decoder could not be started (\(opusReason(status)))",
        remedy: "check the libopus installation")
    }
    decoder = made
  }

  deinit { opus_decoder_destroy(decoder) }

  package func decode(_ packet: [UInt8]) throws(MediaError) -> [Int16] {
    try checkNotEmpty(packet)
    return try decode(packet, room: Self.longestPacket, redundancy: false)
  }

  package func recover(from packet: [UInt8], count: Int) throws(MediaError) -> [Int16] {
    try checkNotEmpty(packet)
    try check(count)
    return try decode(packet, room: count, redundancy: true)
  }

  package func conceal(count: Int) throws(MediaError) -> [Int16] {
    try check(count)
    return try decode([], room: count, redundancy: false)
  }

  /// No packet at all means concealment to libopus.
  private func decode(
    _ packet: [UInt8], room: Int, redundancy: Bool
  ) throws(MediaError) -> [Int16] {
    var status: Int32 = 0
    let samples = [Int16](unsafeUninitializedCapacity: room) { buffer, count in
      guard let target = buffer.baseAddress else { return }
      status = packet.withUnsafeBufferPointer {
        opus_decode(
          decoder, $0.isEmpty ? nil : $0.baseAddress, Int32($0.count), target, Int32(room),
          redundancy ? 1 : 0)
      }
      count = Int(max(0, status))
    }
    guard status > 0 else {
      throw MediaError(
        .malformed,
        "an Opus packet of \(packet.count) bytes does not decode (\(opusReason(status)))",
        remedy: "it is concealed")
    }
    return samples
  }

  /// An empty packet would be taken for concealment of any length.
  private func checkNotEmpty(_ packet: [UInt8]) throws(MediaError) {
    guard !packet.isEmpty else {
      throw MediaError(.malformed, "an Opus packet is empty", remedy: "it is concealed")
    }
  }

  /// libopus makes sound in steps of 2.5 ms.
  private func check(_ count: Int) throws(MediaError) {
    guard count > 0, count <= Self.longestPacket, count % 120 == 0 else {
      throw MediaError(
        .unsupported, "\(count) samples of sound were asked for",
        remedy: "ask for a multiple of 120 up to \(Self.longestPacket)")
    }
  }
}
