package import Call
package import Media
package import Units

/// One computer's scripted camera and microphone with their encoders, working to standing orders.
package final class Studio {
  /// What the picture encoders are to make, and how that goes.
  package private(set) var encoders = Rendition.allCases.map { _ in Encoder() }
  /// What the sound encoder is to make; `nil`: nothing.
  package var audioOrder: AudioOrder?
  /// Asked before each picture: whether it is worth encoding.
  package var wantsVideo: (Rendition) -> Bool = { _ in true }
  /// What the encoders made so far.
  package private(set) var encodedBytes = ByteCount.zero

  /// Real pictures in place of scripted ones.
  package let film: RealFilm?
  package let size: PictureSize
  package let framesPerSecond: Double
  /// One rendition's encoder.
  package struct Encoder {
    /// `nil`: nothing is encoded.
    package var order: VideoEncoderSettings?
    package var needsKeyFrame = false
    package fileprivate(set) var pictures = 0
    package fileprivate(set) var keyFrames = 0
    fileprivate var frameCredit = 0.0
  }

  /// Pictures that the camera took so far, encoded or not.
  package private(set) var captured = 0
  private let world: World
  private let clock: SimulatedClock
  private let takeVideo: (EncodedVideoFrame) -> Void
  private let takeAudio: (EncodedAudioFrame) -> Void
  private var camera: ScriptedCamera
  private var microphone: ScriptedMicrophone
  private var isOpen = false
  /// The end of the newest packet.
  private var soundUntil = Instant.zero
  /// World time of capture of picture and packet, by number from 1.
  private var pictureTimes: [Instant] = []
  private var packetTimes: [Instant] = []

  /// From capture to the encoded picture.
  private static let encodingTime = Interval.milliseconds(4)

  package init(
    _ world: World, clock: SimulatedClock, camera: ScriptedCamera,
    microphone: ScriptedMicrophone, size: PictureSize, framesPerSecond: Double,
    film: RealFilm? = nil, takeVideo: @escaping (EncodedVideoFrame) -> Void,
    takeAudio: @escaping (EncodedAudioFrame) -> Void
  ) {
    self.world = world
    self.clock = clock
    self.camera = camera
    self.microphone = microphone
    self.film = film
    self.size = size
    self.framesPerSecond = framesPerSecond
    self.takeVideo = takeVideo
    self.takeAudio = takeAudio
  }

  package var cameraID: UInt32 { camera.camera }

  package func open() {
    guard !isOpen else { return }
    isOpen = true
    world.repeat(every: .seconds(1 / framesPerSecond)) { [weak self] in
      guard let self, isOpen else { return false }
      capturePicture()
      return true
    }
    world.repeat(every: AudioFormat.blockDuration) { [weak self] in
      guard let self, isOpen else { return false }
      captureSound()
      return true
    }
  }

  package func close() { isOpen = false }

  /// When a picture was captured, in world time; `nil` for one that never was.
  package func captureTime(ofPicture number: UInt32) -> Instant? {
    number >= 1 && Int(number) <= pictureTimes.count ? pictureTimes[Int(number) - 1] : nil
  }

  package func captureTime(ofPacket number: UInt32) -> Instant? {
    number >= 1 && Int(number) <= packetTimes.count ? packetTimes[Int(number) - 1] : nil
  }

  package func order(_ rendition: Rendition, _ order: VideoEncoderSettings?) {
    encoders[rendition.rawValue].order = order
  }

  package func wantKeyFrame(_ rendition: Rendition) {
    encoders[rendition.rawValue].needsKeyFrame = true
  }

  private func capturePicture() {
    captured += 1
    for rendition in Rendition.allCases { encode(rendition) }
  }

  private func encode(_ rendition: Rendition) {
    let at = rendition.rawValue
    guard let order = encoders[at].order, order.bitrate > .zero else { return }
    // A lower rate than the source's takes every so many pictures.
    encoders[at].frameCredit += min(1, order.framesPerSecond / framesPerSecond)
    guard encoders[at].frameCredit >= 0.999 else { return }
    encoders[at].frameCredit -= 1
    guard wantsVideo(rendition) else { return }
    guard
      let frame = picture(rendition, under: order, forceKeyFrame: encoders[at].needsKeyFrame)
    else { return }
    encoders[at].needsKeyFrame = false
    encoders[at].pictures += 1
    if frame.isKeyFrame { encoders[at].keyFrames += 1 }
    pictureTimes.append(world.now)
    encodedBytes += ByteCount(frame.bytes.count)
    world.schedule(after: Self.encodingTime) { [self] in takeVideo(frame) }
  }

  private func picture(
    _ rendition: Rendition, under order: VideoEncoderSettings, forceKeyFrame: Bool
  ) -> EncodedVideoFrame? {
    let at = clock.local(world.now)
    guard let film else {
      return camera.picture(rendition, at: at, settings: order, forceKeyFrame: forceKeyFrame)
    }
    guard
      let frame = film.encode(captured, at: at, settings: order, forceKeyFrame: forceKeyFrame)
    else { return nil }
    let scripted = camera.picture(like: frame)
    film.send(frame, of: captured, as: camera.newest)
    return scripted
  }

  private func captureSound() {
    guard let order = audioOrder, world.now >= soundUntil else { return }
    soundUntil = world.now + order.packet
    packetTimes.append(world.now)
    let capturedAt = clock.local(world.now)
    let frame = microphone.packet(
      at: capturedAt, bitrate: order.bitrate, of: order.packet,
      expectedLossPercent: order.expectedLossPercent)
    encodedBytes += ByteCount(frame.bytes.count)
    // A packet is whole when its last sample was captured.
    world.schedule(after: order.packet) { [self] in takeAudio(frame) }
  }
}
