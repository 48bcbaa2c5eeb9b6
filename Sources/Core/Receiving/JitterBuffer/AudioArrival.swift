import Wire

/// What one RTP packet of sound holds: an Opus packet, and perhaps copies of earlier ones.
struct AudioArrival {
  struct Sound {
    var bytes: ArraySlice<UInt8>
    var samples: Int
    /// How many packets, and how many samples, before the packet that it came with.
    var distance: Int64
    var offset: Int64
  }
  /// The oldest first.
  private(set) var copies: [Sound] = []
  let newest: Sound
  /// How many packets back the farthest copy is.
  let reach: Int

  /// `nil` for what breaks the format; a copy that does is as good as none.
  init?(_ packet: RTPPacket) {
    guard packet.payloadType == MediaStream.PayloadType.redundantOpus else {
      guard let samples = OpusPacket.samples(of: packet.payload) else { return nil }
      newest = Sound(bytes: packet.payload, samples: samples, distance: 0, offset: 0)
      reach = 0
      return
    }
    guard let payload = try? RedundantAudio(decoding: packet.payload),
      let samples = OpusPacket.samples(of: payload.newest)
    else { return nil }
    newest = Sound(bytes: payload.newest, samples: samples, distance: 0, offset: 0)
    reach = payload.copies.count
    copies.reserveCapacity(reach)
    for (place, copy) in payload.copies.enumerated() {
      guard let samples = OpusPacket.samples(of: copy.bytes) else { continue }
      copies.append(
        Sound(
          bytes: copy.bytes, samples: samples, distance: Int64(reach - place),
          offset: Int64(copy.offset)))
    }
  }
}
