import Camera
import Media
import Testing
import Units

/// With the first camera of this computer, such as vivid's or v4l2loopback's.
@Suite(.serialized) struct RealCameraTests {
  private let wanted = PictureSize(width: 640, height: 360)

  private var camera: String? {
    let path = Cameras.look().cameras.first?.path
    if path == nil { print("not tested: a real camera, because there is none here") }
    return path
  }

  @Test func `it gives moving pictures with rising times`() throws {
    guard let path = camera else { return }
    let camera = try V4L2Camera(device: path, wanted: wanted, framesPerSecond: 30)
    var times: [Instant] = []
    var pictures: [[UInt8]] = []
    for _ in 0..<12 {
      let frame = try #require(try camera.nextFrame())
      #expect(frame.picture.size == camera.size)
      times.append(frame.capturedAt)
      pictures.append(withExtendedLifetime(frame.picture) { Array($0.luma) })
    }
    #expect(zip(times, times.dropFirst()).allSatisfy { $0 < $1 })
    #expect(Set(pictures).count > 1)
    #expect(Set(pictures[0]).count > 4)
  }

  @Test func `it is free as soon as it gave its last picture`() throws {
    guard let path = camera else { return }
    // The first is still there: only its end may have let the device go.
    let first = try V4L2Camera(device: path, wanted: wanted, framesPerSecond: 30)
    #expect(try first.nextFrame() != nil)
    do {
      _ = try V4L2Camera(device: path, wanted: wanted, framesPerSecond: 30)
      Issue.record("two had the camera")
    } catch {
      #expect(error.kind == .busy)
    }
    first.stop()
    #expect(try first.nextFrame() == nil)
    let second = try V4L2Camera(device: path, wanted: wanted, framesPerSecond: 30)
    #expect(try second.nextFrame() != nil)
    withExtendedLifetime(first) {}
  }
}
