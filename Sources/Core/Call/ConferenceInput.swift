package import Links
package import Media
package import Rooms
package import Units
package import Wire

/// What happens to a `Conference`. Runtime and Simulation feed these; nothing else changes it.
package enum ConferenceInput: Sendable {
  /// The user wants this call: connect to the server and enter the room.
  case begin

  // The network.
  case localEndpoints([LocalEndpoint])
  case datagram([UInt8], from: SocketAddress, on: SocketID)
  case accepted(StreamID, from: SocketAddress)
  case dialed(StreamID)
  case dialFailed(StreamID, DialFailure = .other)
  case stream([UInt8], on: StreamID)
  case streamClosed(StreamID)
  /// Bytes written that the kernel has not taken yet.
  case backlog(StreamID, Int)
  /// What happens on the connection to the rendezvous server.
  case rendezvous(RendezvousClient.Input)

  // The media threads.
  /// The picture source's size and rate became known, or changed.
  case pictureSource(PictureSize, framesPerSecond: Double)
  case encodedVideo(EncodedVideoFrame)
  case encodedAudio(EncodedAudioFrame)
  /// A source or sink ended or failed; the call goes on without it.
  case deviceFailed(Device, MediaError)
  /// What failed works again.
  case deviceReturned(Device, name: String)
  /// The first decoded picture of this peer was handed to the sink; later ones need not be told.
  case shown(SessionID, PictureSize)
  /// The decoder refused a frame.
  case decodeFailed(SessionID)
  /// The sample of `rtpTimestamp` was given to the device at `at` and is heard `deviceDelay` later.
  case audioPlayed(
    SessionID, rtpTimestamp: Int64, at: Instant, deviceDelay: Interval)
  /// Samples of this peer's sound since the last report, and how many of them were concealed.
  case audioConcealed(SessionID, samples: Int, of: Int)

  // The user.
  case chat(String)
  case microphone(isOn: Bool)
  case camera(isOn: Bool)
  /// New upper bounds of what we send.
  case bounds(PictureSize, framesPerSecond: Double, bitrate: Bitrate)
  /// What we want of each of the others at most, from now on.
  case receiveBounds(ReceiveBounds)
  /// This peer's pictures are shown in a place of this size in the window, in pixels, and go nowhere
  /// else; 0x0: they are not shown now. No more is asked of the peer than the place has use for.
  case shownIn(SessionID, PictureSize)
  /// The owner lets nobody else in, or everybody again.
  case lock(isOn: Bool)
  /// The owner removes somebody: his name, or how his fingerprint or session begins.
  case kick(String)
  case leave(LeaveCause)

  /// Processor share (of one core) and memory of the whole process tree, once a second.
  case processUsage(cpuPercent: Double, residentMegabytes: Double)
  case timeout
}

package enum Device: String, Hashable, Sendable {
  case camera
  case microphone
  /// Window or pipe.
  case view
  case speaker
}

/// Why the local side leaves.
package enum LeaveCause: Hashable, Sendable {
  case user
  /// SIGINT: the exit code says so.
  case interrupt
  /// SIGTERM or SIGHUP.
  case terminated
  case deviceAtStart
}
