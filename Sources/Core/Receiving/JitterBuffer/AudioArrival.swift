import Wire

/// What one RTP packet of sound holds: an Opus packet, and perhaps copies of earlier ones.
struct AudioArrival {
  struct Sound {
    var bytes: [UInt8]
    var samples: Int
    /// How many packets, and how many samples, before the packet that it came with.
    var distance: Int64
    var offset: Int64
  }
  /// The oldest first; the last is the packet itself.
  let all: ArraySlice<Sound>
  /// How many packets back the farthest copy is.
  let reach: Int

  var newest: ArraySlice<Sound> { all.suffix(1) }

  /// `nil` for what breaks the format; a copy that does is as good as none.
  init?(_ packet: RTPPacket) {
    guard packet.payloadType == MediaStream.PayloadType.redundantOpus else {
      guard let samples = OpusPacket.samples(of: packet.payload) else { return nil }
      all = [Sound(bytes: packet.payload, samples: samples, distance: 0, offset: 0)]
      reach = 0
      return
    }
    guard let payload = try? RedundantAudio(decoding: packet.payload),
      let newestSamples = OpusPacket.samples(of: payload.newest)
    else { return nil }
    var sounds: [Sound] = []
    sounds.reserveCapacity(payload.copies.count + 1)
    for (place, copy) in payload.copies.enumerated() {
      guard let samples = OpusPacket.samples(of: copy.bytes) else { continue }
      sounds.append(
        Sound(
          bytes: copy.bytes, samples: samples, distance: Int64(payload.copies.count - place),
          offset: Int64(copy.offset)))
    }
    sounds.append(Sound(bytes: payload.newest, samples: newestSamples, distance: 0, offset: 0))
    all = sounds[...]
    reach = payload.copies.count
  }
}
