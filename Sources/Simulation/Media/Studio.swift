package import Media
package import Units

/// One computer's scripted camera and microphone with their encoders, working to standing orders.
package final class Studio {
  /// What the picture encoder is to make; `nil`: nothing.
  package var videoOrder: VideoEncoderSettings?
  /// What the sound encoder is to make; `nil`: nothing.
  package var audioBitrate: Bitrate?
  /// How much sound is in a packet: 10 or 20 ms.
  package var packet = Interval.milliseconds(20)
  package var needsKeyFrame = false
  /// Asked before each picture: whether it is worth encoding.
  package var wantsVideo: () -> Bool = { true }
  /// What the encoders made so far.
  package private(set) var encodedBytes = ByteCount.zero

  package let size: PictureSize
  package let framesPerSecond: Double
  private let world: World
  private let clock: SimulatedClock
  private let takeVideo: (EncodedVideoFrame) -> Void
  private let takeAudio: (EncodedAudioFrame) -> Void
  private var camera: ScriptedCamera
  private var microphone: ScriptedMicrophone
  private var frameCredit = 0.0
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
    takeVideo: @escaping (EncodedVideoFrame) -> Void,
    takeAudio: @escaping (EncodedAudioFrame) -> Void
  ) {
    self.world = world
    self.clock = clock
    self.camera = camera
    self.microphone = microphone
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

  private func capturePicture() {
    guard let order = videoOrder, order.bitrate > .zero else { return }
    // A lower rate than the source's takes every so many pictures.
    frameCredit += min(1, order.framesPerSecond / framesPerSecond)
    guard frameCredit >= 0.999 else { return }
    frameCredit -= 1
    guard wantsVideo() else { return }
    let frame = camera.picture(
      at: clock.local(world.now), settings: order, forceKeyFrame: needsKeyFrame)
    needsKeyFrame = false
    pictureTimes.append(world.now)
    encodedBytes += ByteCount(frame.bytes.count)
    world.schedule(after: Self.encodingTime) { [self] in takeVideo(frame) }
  }

  private func captureSound() {
    guard let audioBitrate, world.now >= soundUntil else { return }
    soundUntil = world.now + packet
    packetTimes.append(world.now)
    let capturedAt = clock.local(world.now)
    let frame = microphone.packet(at: capturedAt, bitrate: audioBitrate, of: packet)
    encodedBytes += ByteCount(frame.bytes.count)
    // A packet is whole when its last sample was captured.
    world.schedule(after: packet) { [self] in takeAudio(frame) }
  }
}
