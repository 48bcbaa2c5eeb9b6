package import Units

/// Why a source, sink or codec cannot go on: one sentence for the user that names what was found
/// and one that names the remedy.
package struct MediaError: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Kind: Hashable, Sendable {
    /// The file ended, the pipe's other side went away, the device was unplugged.
    case ended
    case absent
    case busy
    case denied
    case unsupported
    case malformed
    case failed
  }
  package var kind: Kind
  package var message: String
  package var remedy: String
  /// What failed, as options name it; empty where the message is all there is to say.
  package var device: String

  package init(_ kind: Kind, _ message: String, remedy: String, device: String = "") {
    self.kind = kind
    self.message = message
    self.remedy = remedy
    self.device = device
  }
  package var description: String { "\(message); \(remedy)" }
}

/// Pictures from a camera, file, pipe or pattern. Used by one thread, but for `stop`.
package protocol VideoSource: AnyObject, Sendable {
  /// Size and rate of what comes; known after the first frame for sources that learn it late.
  var size: PictureSize { get }
  var framesPerSecond: Double { get }
  /// Waits until the next frame is due and returns it; `nil` after `stop`. A live source returns
  /// the newest frame: late is never queued behind late.
  func nextFrame() throws(MediaError) -> VideoFrame?
  /// Ends a waiting `nextFrame`; may be called from any thread, more than once.
  func stop()
}

/// Sound from a microphone, file, pipe or tone. Used by one thread, but for `stop`.
package protocol AudioSource: AnyObject, Sendable {
  /// Waits for the next 10 ms; `nil` after `stop`.
  func nextBlock() throws(MediaError) -> AudioBlock?
  func stop()
}

/// Where decoded pictures of all peers go. Called from decode threads, one at a time for a peer.
package protocol VideoSink: AnyObject, Sendable {
  /// The size and rate that the peer's pictures have at full quality, as soon as they are known:
  /// what is shown may be smaller.
  func announce(_ size: PictureSize, framesPerSecond: Double, of peer: String)
  /// Shows a picture now. `peer` is the session id's text.
  func show(_ frame: VideoFrame, of peer: String) throws(MediaError)
  /// The peer left, or shows no picture any more.
  func remove(peer: String)
}

extension VideoSink {
  /// Sinks that take every size need no announcement.
  package func announce(_ size: PictureSize, framesPerSecond: Double, of peer: String) {}
}

/// Where the mixed sound of all peers goes. Used by the playout thread.
package protocol AudioSink: AnyObject, Sendable {
  /// Takes the next 10 ms and returns when the following block may be given: this call paces
  /// playout, whether by a device or by a timer.
  func play(_ samples: UnsafeBufferPointer<Int16>) throws(MediaError)
  /// How long from now a sample given next will wait before it is heard.
  var delay: Interval { get }
  func stop()
}

/// What suffers where bits are few, in the words of W3C's mst-content-hint.
package enum PictureContent: String, CaseIterable, Hashable, Sendable {
  /// People: rather small or coarse than jerky.
  case motion
  /// Screens, text, drawings: rather jerky than small, since scaled text can't be read.
  case detail
}

/// What an encoder is asked for; changes between frames are allowed.
package struct VideoEncoderSettings: Hashable, Sendable {
  package var size: PictureSize
  package var framesPerSecond: Double
  package var bitrate: Bitrate
  /// Of a frame's time, what encoding may take, 0…1: the rest is another encoder's.
  package var timeShare = 1.0

  package init(size: PictureSize, framesPerSecond: Double, bitrate: Bitrate) {
    self.size = size
    self.framesPerSecond = framesPerSecond
    self.bitrate = bitrate
  }
}

package protocol VideoEncoder: AnyObject {
  /// Makes ready for pictures under settings like these: the first then takes no longer than others.
  func prepare(_ settings: VideoEncoderSettings) throws(MediaError)
  /// Encodes one picture, scaled to the settings' size; or drops it (`nil`), to keep the rate or because it
  /// shows nothing new.
  func encode(
    _ frame: VideoFrame, settings: VideoEncoderSettings, forceKeyFrame: Bool
  ) throws(MediaError) -> EncodedVideoFrame?
}

/// Bytes come from a peer: whatever they hold, a decoder throws and does not trap.
package protocol VideoDecoder: AnyObject {
  /// The decoded picture; `nil` when the frame shows nothing.
  func decode(_ frame: [UInt8]) throws(MediaError) -> Picture?
}

package protocol AudioEncoder: AnyObject {
  /// Encodes one packet's worth of samples (480, 960, 1 920 or 2 880).
  func encode(_ samples: [Int16]) throws(MediaError) -> [UInt8]
  func set(bitrate: Bitrate, expectedLossPercent: Int)
}

package protocol AudioDecoder: AnyObject {
  /// Decodes one packet: 48 kHz mono samples, at most 120 ms.
  func decode(_ packet: [UInt8]) throws(MediaError) -> [Int16]
  /// The packet before `packet`, from its in-band redundancy (RFC 6716 §2.1.7); `count` samples.
  func recover(from packet: [UInt8], count: Int) throws(MediaError) -> [Int16]
  /// `count` samples that hide a gap.
  func conceal(count: Int) throws(MediaError) -> [Int16]
}
