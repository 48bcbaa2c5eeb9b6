package import Media
package import Units

/// What `MediaReceiver` is told.
package enum ReceivingInput: Sendable {
  /// An RTP packet from the peer.
  case packet(ArraySlice<UInt8>)
  /// An RTCP frame from the peer; what is for the sender in it is read over.
  case report(ArraySlice<UInt8>)
  /// The sample of `rtpTimestamp` (of an `AudioPacket`) was given to the device at `at`, and is
  /// heard `deviceDelay` later.
  case audioPlayed(rtpTimestamp: Int64, at: Instant, deviceDelay: Interval)
  /// The decoder refused a frame: the picture is broken until a key frame comes.
  case decodeFailed
  /// The link's newest round trip time.
  case roundTrip(Interval)
  /// What the peer's clock showed at most a round trip ago: `Clock.time`, `ClockedPong.time`.
  case clock(UInt64, roundTrip: Interval)
  /// Whether packets come on a stream from now on.
  case carrier(isStream: Bool)
  /// A packet of our own sound leaves for the peer now: feedback that is due soon may go with it.
  case soundLeaves
  /// `nextDeadline` has come.
  case timeout
}

/// What `MediaReceiver` wants done.
package enum ReceivingOutput: Equatable, Sendable {
  /// Decode now, show at `showAt` (now, or later where the sound is late); `nil`: never, since it is
  /// too old, but later pictures refer to it.
  case decode(AssembledFrame, showAt: Instant?)
  /// For the peer's `AudioJitterBuffer`; packets come as they arrive, duplicates removed.
  case audio(AudioPacket)
  /// For `AudioJitterBuffer.hold`: how much later the sound should play to wait for the picture.
  case audioHold(Interval)
  /// An RTCP frame to send now; at most `MediaStream.packetLimit` bytes.
  case report([UInt8])
}

/// One whole VP8 frame, all of whose references were given out before it.
package struct AssembledFrame: Equatable, Sendable {
  package var bytes: [UInt8]
  package var isKeyFrame: Bool
  /// Of a key frame, from its header; always valid.
  package var size: PictureSize?
  /// 90 kHz, without wrap.
  package var rtpTimestamp: Int64

  package init(bytes: [UInt8], isKeyFrame: Bool, size: PictureSize?, rtpTimestamp: Int64) {
    self.bytes = bytes
    self.isKeyFrame = isKeyFrame
    self.size = size
    self.rtpTimestamp = rtpTimestamp
  }
}

/// One Opus packet as it arrived.
package struct AudioPacket: Equatable, Sendable {
  package var bytes: [UInt8]
  /// 48 kHz, without wrap: of its first sample.
  package var rtpTimestamp: Int64
  package var index: PacketIndex
  /// Samples at 48 kHz, 120…5760, as the packet itself says.
  package var samples: Int
  /// When the network gave it: what the jitter buffer measures, however late it is handed over.
  package var arrivedAt: Instant
  /// 0: the packet itself; else it is a copy that came with the packet so many later.
  package var distance: Int
  /// The farthest copy that came with it: with how many packets' delay losses can be undone.
  package var reach: Int

  package init(
    bytes: [UInt8], rtpTimestamp: Int64, index: PacketIndex, samples: Int, arrivedAt: Instant,
    distance: Int = 0, reach: Int = 0
  ) {
    self.bytes = bytes
    self.rtpTimestamp = rtpTimestamp
    self.index = index
    self.samples = samples
    self.arrivedAt = arrivedAt
    self.distance = distance
    self.reach = reach
  }
}

/// What was received since the statistics were last taken.
package struct ReceiveStatistics: Hashable, Sendable {
  package var rate = Bitrate.zero
  /// Frames given out for decoding.
  package var framesPerSecond = 0.0
  /// Of the newest key frame.
  package var size: PictureSize?
  /// Of all media packets, before repair.
  package var lossPercent = 0.0
  /// Interarrival jitter (RFC 3550 §6.4.1), the larger of picture and sound.
  package var jitter = Interval.zero
  /// Gaps over 150 ms between shown frames, and their summed length, since the call began.
  package var freezes = 0
  package var frozen = Interval.zero
  /// Picture minus sound, median over the frames shown: positive when the picture is late.
  package var audioVideoSkew = Interval.zero
  package init() {}
}
