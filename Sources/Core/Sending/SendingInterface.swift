package import Media
package import Units

/// What `MediaSender` is told.
package enum SendingInput: Sendable {
  /// An encoded picture. It is dropped where it would be stale before it is sent.
  case video(EncodedVideoFrame)
  case audio(EncodedAudioFrame)
  /// An RTCP frame from the peer; what is for the receiver in it is read over.
  case feedback(ArraySlice<UInt8>)
  /// The link's newest round trip time.
  case roundTrip(Interval)
  /// Bytes that wait in the carrier below (TCP's send queue); UDP has none.
  case queued(ByteCount)
  /// The carrier below is a stream from now on.
  case stream
  /// Upper bound of everything that is sent to this peer, overhead included.
  case limit(Bitrate)
  /// What the source gives before scaling: the size and rate that the ladder starts from, and which of them
  /// it keeps.
  case source(PictureSize, framesPerSecond: Double, PictureContent = .motion)
  /// The link changed under the call: what was learned of delays no longer holds.
  case pathChanged
  /// `nextDeadline` has come.
  case timeout
}

/// What `MediaSender` wants done.
package enum SendingOutput: Equatable, Sendable {
  /// An RTP packet to send now; at most `MediaStream.packetLimit` bytes.
  case packet([UInt8])
  /// An RTCP frame to send now; at most `MediaStream.packetLimit` bytes.
  case report([UInt8])
  /// What the video encoder should make from the next frame on.
  case encoder(EncoderAdvice)
  /// What the path means for sound.
  case audio(AudioAdvice)
  /// The next frame must be a key frame: frames before one are dropped unsent or undecodable.
  case keyFrameNeeded
}

/// What the path carries, as settings for the video encoder.
package struct EncoderAdvice: Hashable, Sendable {
  /// Of encoded pictures alone: audio, repair and packet overhead are already taken off.
  package var bitrate: Bitrate
  /// `nil` until a source was announced.
  package var size: PictureSize?
  /// 0 until a source was announced.
  package var framesPerSecond: Double

  package init(bitrate: Bitrate, size: PictureSize?, framesPerSecond: Double) {
    self.bitrate = bitrate
    self.size = size
    self.framesPerSecond = framesPerSecond
  }
}

/// What was sent since the statistics were last taken.
package struct SendStatistics: Hashable, Sendable {
  /// Everything, packet overhead included.
  package var rate = Bitrate.zero
  package var video = Bitrate.zero
  package var audio = Bitrate.zero
  package var repair = Bitrate.zero
  /// What congestion control allows, packet overhead included.
  package var target = Bitrate.zero
  package var framesPerSecond = 0.0
  package var size: PictureSize?
  /// Pictures that were encoded but not sent, since the call began.
  package var droppedFrames = 0
  /// Of packets that feedback was about.
  package var lossPercent = 0.0
  /// Delay that this sender's packets wait on the path above its least, from feedback.
  package var queueDelay = Interval.zero
  package init() {}
}
