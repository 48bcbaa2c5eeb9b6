import CV4L
import Camera
import Media
import Testing

@Suite struct V4L2CameraTests {
  private let small = PictureSize(width: 64, height: 48)
  private let hd = PictureSize(width: 1280, height: 720)
  private let vga = PictureSize(width: 640, height: 480)

  @Test func `the mode that reaches the rate at the wanted size is taken`() throws {
    let fake = FakeCamera([
      .init(format: .yuyv, size: vga, framesPerSecond: 30),
      .init(format: .yuyv, size: hd, framesPerSecond: 10),
      .init(format: .mjpeg, size: hd, framesPerSecond: 30),
      .init(format: .mjpeg, size: PictureSize(width: 1920, height: 1080), framesPerSecond: 30),
    ])
    let camera = try V4L2Camera(
      device: "/dev/video0", wanted: hd, framesPerSecond: 30, calls: fake)
    #expect(fake.granted?.format == .mjpeg)
    #expect(camera.size == hd)
    #expect(fake.requestedRate == 30)
  }

  @Test func `the cheaper format wins where both reach size and rate`() throws {
    let fake = FakeCamera([
      .init(format: .mjpeg, size: vga, framesPerSecond: 30),
      .init(format: .yuyv, size: vga, framesPerSecond: 30),
    ])
    _ = try V4L2Camera(device: "/dev/video0", wanted: vga, framesPerSecond: 30, calls: fake)
    #expect(fake.granted?.format == .yuyv)
  }

  @Test(arguments: [
    (-ENOENT, MediaError.Kind.absent), (-EBUSY, .busy), (-EACCES, .denied), (-EINVAL, .unsupported),
  ])
  func `a camera that cannot be opened is named with the remedy`(
    failure: Int32, kind: MediaError.Kind
  ) {
    let fake = FakeCamera([])
    fake.nodeCount = 8
    fake.openFailure = failure
    do {
      _ = try V4L2Camera(device: "/dev/video7", wanted: hd, framesPerSecond: 30, calls: fake)
      Issue.record("it was opened")
    } catch {
      #expect(error.kind == kind)
      #expect(error.message.contains("/dev/video7"))
      #expect(!error.remedy.isEmpty)
    }
  }

  @Test func `an unplugged camera ends after its last frame and everything is released`() throws {
    let fake = FakeCamera([.init(format: .i420, size: small, framesPerSecond: 30)])
    fake.frames = [[UInt8](repeating: 90, count: small.pixels * 3 / 2)]
    try {
      let camera = try V4L2Camera(
        device: "/dev/video0", wanted: small, framesPerSecond: 30, calls: fake)
      let frame = try #require(try camera.nextFrame())
      #expect(withExtendedLifetime(frame.picture) { $0.bytes.allSatisfy { $0 == 90 } })
      do {
        _ = try camera.nextFrame()
        Issue.record("it went on without the device")
      } catch let error as MediaError {
        #expect(error.kind == .ended)
        #expect(error.message == "the camera /dev/video0 was unplugged")
        #expect(error.device == "/dev/video0")
        #expect(error.remedy.contains("/camera on"))
      }
      // At once, not when whoever holds the camera lets it go.
      #expect(fake.openCount == 0)
      #expect(try camera.nextFrame() == nil)
    }()
    #expect(fake.openCount == 0)
    #expect(fake.mappedCount == 0)
  }

  @Test func `frames that are damaged or too short are skipped`() throws {
    let fake = FakeCamera([.init(format: .i420, size: small, framesPerSecond: 30)])
    let whole = small.pixels * 3 / 2
    fake.frames = [
      [UInt8](repeating: 1, count: whole), [UInt8](repeating: 2, count: whole - 1), [],
      [UInt8](repeating: 3, count: whole),
    ]
    fake.damaged = [0]
    let camera = try V4L2Camera(
      device: "/dev/video0", wanted: small, framesPerSecond: 30, calls: fake)
    let frame = try #require(try camera.nextFrame())
    #expect(withExtendedLifetime(frame.picture) { $0.luma.first } == 3)
  }

  @Test func `a stopped camera gives no frame`() throws {
    let fake = FakeCamera([.init(format: .i420, size: small, framesPerSecond: 30)])
    fake.endFailure = 0
    let camera = try V4L2Camera(
      device: "/dev/video0", wanted: small, framesPerSecond: 30, calls: fake)
    camera.stop()
    #expect(try camera.nextFrame() == nil)
    // Its light is off.
    #expect(fake.openCount == 0)
    #expect(fake.mappedCount == 0)
  }

  @Test func `a driver that always has a picture ready cannot hold the thread`() throws {
    let fake = FakeCamera([.init(format: .i420, size: small, framesPerSecond: 30)])
    fake.frames = [[UInt8](repeating: 9, count: small.pixels * 3 / 2)]
    fake.repeatsLast = true
    let camera = try V4L2Camera(
      device: "/dev/video0", wanted: small, framesPerSecond: 30, calls: fake)
    #expect(try camera.nextFrame() != nil)
    camera.stop()
    #expect(try camera.nextFrame() == nil)
  }

  @Test func `a camera whose pictures cannot be read has failed`() throws {
    let fake = FakeCamera([.init(format: .mjpeg, size: small, framesPerSecond: 30)])
    fake.frames = [[UInt8](repeating: 9, count: 500)]
    fake.repeatsLast = true
    let camera = try V4L2Camera(
      device: "/dev/video0", wanted: small, framesPerSecond: 30, calls: fake)
    do {
      _ = try camera.nextFrame()
      Issue.record("there was a picture")
    } catch {
      #expect(error.message == "the camera /dev/video0 gives no pictures")
    }
  }

  @Test func `without a choice the first camera that works is taken`() throws {
    let fake = FakeCamera([.init(format: .yuyv, size: vga, framesPerSecond: 30)])
    fake.nodeCount = 3
    fake.openFailures = ["/dev/video0": -EACCES]
    fake.busyNodes = ["/dev/video1"]
    let camera = try V4L2Camera(device: nil, wanted: vga, framesPerSecond: 30, calls: fake)
    #expect(fake.openCount == 1)
    #expect(fake.granted?.size == vga)
    camera.stop()
    #expect(try camera.nextFrame() == nil)
  }

  @Test(arguments: [
    (["/dev/video0"], [String: Int32](), "another program uses the camera /dev/video0"),
    ([], ["/dev/video0": -EACCES], "the camera /dev/video0 may not be opened"),
    ([], ["/dev/video0": -ENODEV], "this computer has no camera"),
  ])
  func `without a choice it is said why there is no camera`(
    busy: [String], failures: [String: Int32], message: String
  ) {
    let fake = FakeCamera([.init(format: .yuyv, size: vga, framesPerSecond: 30)])
    fake.busyNodes = Set(busy)
    fake.openFailures = failures
    do {
      _ = try V4L2Camera(device: nil, wanted: vga, framesPerSecond: 30, calls: fake)
      Issue.record("it was opened")
    } catch {
      #expect(error.message == message)
    }
  }

  @Test func `cameras are listed with name and largest size`() {
    let fake = FakeCamera([
      .init(format: .yuyv, size: vga, framesPerSecond: 30),
      .init(format: .mjpeg, size: hd, framesPerSecond: 30),
    ])
    let list = Cameras.look(calls: fake)
    #expect(list.cameras.first?.name == "Fake")
    #expect(list.cameras.first?.largest == hd)
  }
}
