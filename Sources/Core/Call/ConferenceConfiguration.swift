package import Media
package import Units
package import Wire

/// What a conference is made from, apart from its parts.
package struct ConferenceConfiguration: Sendable {
  /// Says which room without saying its id (docs/protocol.md).
  package var roomHint: String
  /// Whoever enters needs more than the room id.
  package var hasPassword = false
  package var ownSession: SessionID
  package var sendsVideo: Bool
  package var sendsAudio: Bool
  /// Upper bounds of the picture; its source may have less.
  package var picture: PictureSize
  package var framesPerSecond: Double
  /// Which of these two is kept where bits are few.
  package var content = PictureContent.motion
  /// For all that leaves this computer.
  package var bitrateLimit: Bitrate
  /// What is wanted of each of the others at most.
  package var receive = ReceiveBounds()
  /// Leave that long after the `room` event.
  package var duration: Interval?

  package init(
    roomHint: String, ownSession: SessionID, sendsVideo: Bool, sendsAudio: Bool,
    picture: PictureSize,
    framesPerSecond: Double, bitrateLimit: Bitrate, duration: Interval?
  ) {
    self.roomHint = roomHint
    self.ownSession = ownSession
    self.sendsVideo = sendsVideo
    self.sendsAudio = sendsAudio
    self.picture = picture
    self.framesPerSecond = framesPerSecond
    self.bitrateLimit = bitrateLimit
    self.duration = duration
  }
}
