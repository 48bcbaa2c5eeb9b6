import COpus
package import Media
package import Units

/// Opus (RFC 6716) for speech, 48 kHz mono, packets of 10, 20, 40 or 60 ms, with in-band redundancy
/// where losses are expected. One owner.
package final class OpusSpeechEncoder: AudioEncoder {
  private let encoder: OpaquePointer
  /// Samples by which decoded sound lags behind what was encoded (6.5 ms).
  package let lookahead: Int

  /// `complexity` is 0…10: 5 costs half of 10 and is hard to tell from it.
  package init(complexity: Int = 5) throws(MediaError) {
    var status: Int32 = 0
    guard
      let made = opus_encoder_create(
        Int32(AudioFormat.sampleRate), 1, OPUS_APPLICATION_VOIP, &status)
    else {
      throw MediaError(
        .failed, "the Opus encoder could not be started (\(opusReason(status)))",
        remedy: "check the libopus installation")
    }
    encoder = made
    var delay: Int32 = 0
    p2p_opus_encoder_get(encoder, OPUS_GET_LOOKAHEAD_REQUEST, &delay)
    lookahead = Int(delay)
    p2p_opus_encoder_set(encoder, OPUS_SET_COMPLEXITY_REQUEST, Int32(min(max(complexity, 0), 10)))
    p2p_opus_encoder_set(encoder, OPUS_SET_INBAND_FEC_REQUEST, 1)
    set(bitrate: .kilobits(32), expectedLossPercent: 0)
  }

  deinit { opus_encoder_destroy(encoder) }

  package func encode(_ samples: [Int16]) throws(MediaError) -> [UInt8] {
    guard [480, 960, 1_920, 2_880].contains(samples.count) else {
      throw MediaError(
        .unsupported, "an Opus packet of \(samples.count) samples was asked for",
        remedy: "give 480, 960, 1920 or 2880")
    }
    var written: Int32 = 0
    // 1275 bytes is the largest frame (RFC 6716 §3.4); at speech's rates longer packets fit as well.
    let packet = [UInt8](unsafeUninitializedCapacity: 1_275) { buffer, count in
      guard let target = buffer.baseAddress else { return }
      written = opus_encode(
        encoder, samples, Int32(samples.count), target, Int32(buffer.count))
      count = Int(max(0, written))
    }
    guard written > 0 else {
      throw MediaError(
        .failed, "Opus could not encode (\(opusReason(written)))", remedy: "restart the call")
    }
    return packet
  }

  /// The rate is held to 6…256 kbit/s; the redundancy grows with the expected loss.
  package func set(bitrate: Bitrate, expectedLossPercent: Int) {
    let rate = min(max(bitrate.bitsPerSecond, 6_000), 256_000)
    p2p_opus_encoder_set(encoder, OPUS_SET_BITRATE_REQUEST, Int32(rate))
    let loss = min(max(expectedLossPercent, 0), 100)
    p2p_opus_encoder_set(encoder, OPUS_SET_PACKET_LOSS_PERC_REQUEST, Int32(loss))
  }
}

func opusReason(_ status: Int32) -> String {
  opus_strerror(status).map { String(cString: $0) } ?? "status \(status)"
}
