import CLinux
import Call
import Media
import Runtime
import Synchronization
import Testing
import Units

@testable import CallRuntime

/// A camera that gives pictures as fast as they are taken.
private final class QuickCamera: VideoSource {
  let size = PictureSize(width: 16, height: 16)
  let framesPerSecond = 30.0
  private let shop: CameraShop
  private let isStopped = Atomic(false)
  private let isClosed = Atomic(false)
  private let given = Atomic(0)

  init(_ shop: CameraShop) {
    self.shop = shop
    shop.openCount.add(1, ordering: .sequentiallyConsistent)
  }

  deinit { close() }

  private func close() {
    if !isClosed.exchange(true, ordering: .sequentiallyConsistent) {
      shop.openCount.subtract(1, ordering: .sequentiallyConsistent)
    }
  }

  func nextFrame() throws(MediaError) -> VideoFrame? {
    if isStopped.load(ordering: .sequentiallyConsistent) {
      close()
      return nil
    }
    let number = given.add(1, ordering: .sequentiallyConsistent).newValue
    if number > shop.failsAfter {
      close()
      throw MediaError(.ended, "unplugged", remedy: "plug it in", device: "C")
    }
    return VideoFrame(picture: Picture(size: size) { _ in }, capturedAt: Clock.now)
  }
  func stop() { isStopped.store(true, ordering: .sequentiallyConsistent) }
}

/// Opens cameras and counts those that are open.
private final class CameraShop: Sendable {
  let openCount = Atomic(0)
  let openings = Atomic(0)
  let failsAfter: Int
  private let isEmpty = Atomic(false)

  init(failsAfter: Int = .max) { self.failsAfter = failsAfter }

  func close() { isEmpty.store(true, ordering: .sequentiallyConsistent) }
  func open() throws(MediaError) -> any VideoSource {
    openings.add(1, ordering: .sequentiallyConsistent)
    if isEmpty.load(ordering: .sequentiallyConsistent) {
      throw MediaError(.busy, "taken", remedy: "wait", device: "C")
    }
    return QuickCamera(self)
  }
}

private final class NoEncoder: VideoEncoder {
  func prepare(_ settings: VideoEncoderSettings) {}
  func encode(
    _ frame: VideoFrame, settings: VideoEncoderSettings, forceKeyFrame: Bool
  ) throws(MediaError) -> EncodedVideoFrame? { nil }
}

/// Waits for something that another thread does; generous, since a busy machine proves nothing.
func awaits(_ condition: () -> Bool) -> Bool {
  let end = Clock.now + .seconds(30)
  while !condition() {
    if Clock.now > end { return false }
    usleep(1_000)
  }
  return true
}

@Suite struct CameraSwitchTests {
  private final class Watch: Sendable {
    let previews = Atomic(0)
    let failures = Mutex<[String]>([])

    func thread(_ shop: CameraShop, reopens: Bool = true) throws -> PictureThread {
      let reopen = { @Sendable () throws(MediaError) -> any VideoSource in try shop.open() }
      return try PictureThread(
        source: try shop.open(), reopen: reopens ? reopen : nil,
        largest: PictureSize(width: 1_280, height: 720),
        makeEncoder: { () throws(MediaError) -> any VideoEncoder in NoEncoder() },
        preview: { [self] _ in previews.add(1, ordering: .sequentiallyConsistent) },
        report: { [self] input in
          if case .deviceFailed(_, let error) = input { note(error.message) }
          if case .deviceReturned(.camera, "C") = input { note("back") }
          return true
        })
    }
    private func note(_ news: String) { failures.withLock { $0.append(news) } }
    var previewCount: Int { previews.load(ordering: .sequentiallyConsistent) }
  }

  private func openCount(_ shop: CameraShop) -> Int {
    shop.openCount.load(ordering: .sequentiallyConsistent)
  }

  @Test func `off closes the camera and darkens the self-view, on opens it again`() throws {
    let shop = CameraShop()
    let watch = Watch()
    let thread = try watch.thread(shop)
    let handles = try thread.start()
    #expect(awaits { watch.previewCount > 3 })
    thread.turn(on: false)
    #expect(awaits { openCount(shop) == 0 })
    let seen = watch.previewCount
    usleep(20_000)
    #expect(watch.previewCount == seen)
    thread.turn(on: true)
    #expect(awaits { openCount(shop) == 1 && watch.previewCount > seen })
    thread.stop()
    for handle in handles { handle.join() }
    #expect(openCount(shop) == 0)
    #expect(watch.failures.withLock { $0 }.isEmpty)
  }

  @Test func `switched quickly off and on it ends open, with one camera`() throws {
    let shop = CameraShop()
    let watch = Watch()
    let thread = try watch.thread(shop)
    let handles = try thread.start()
    for _ in 0..<200 {
      thread.turn(on: false)
      thread.turn(on: true)
    }
    let seen = watch.previewCount
    #expect(awaits { watch.previewCount > seen + 3 })
    #expect(openCount(shop) == 1)
    thread.stop()
    for handle in handles { handle.join() }
    #expect(openCount(shop) == 0)
  }

  @Test func `a camera that failed is reported once and may come back`() throws {
    let shop = CameraShop(failsAfter: 5)
    let watch = Watch()
    let thread = try watch.thread(shop)
    let handles = try thread.start()
    #expect(awaits { watch.failures.withLock { $0.count } == 1 })
    thread.turn(on: true)
    #expect(awaits { watch.failures.withLock { $0.count } == 3 })
    shop.close()
    thread.turn(on: true)
    #expect(awaits { watch.failures.withLock { $0.count } == 4 })
    #expect(watch.failures.withLock { $0 } == ["unplugged", "back", "unplugged", "taken"])
    #expect(watch.previewCount == 10)
    thread.stop()
    for handle in handles { handle.join() }
  }

  @Test func `a source that cannot be opened again stays open, shows nothing while off`() throws {
    let shop = CameraShop()
    let watch = Watch()
    let thread = try watch.thread(shop, reopens: false)
    thread.turn(on: false)
    let handles = try thread.start()
    usleep(20_000)
    #expect(watch.previewCount == 0)
    #expect(openCount(shop) == 1)
    thread.turn(on: true)
    #expect(awaits { watch.previewCount > 0 })
    thread.stop()
    for handle in handles { handle.join() }
    #expect(shop.openings.load(ordering: .sequentiallyConsistent) == 1)
  }
}

/// A speaker that is unplugged after some blocks.
private final class BriefSpeaker: AudioSink {
  private let left: Atomic<Int>
  let delay = Interval.zero

  init(blocks: Int) { left = Atomic(blocks) }

  func play(_ samples: UnsafeBufferPointer<Int16>) throws(MediaError) {
    if left.subtract(1, ordering: .sequentiallyConsistent).newValue < 0 {
      throw MediaError(.ended, "unplugged", remedy: "plug it in", device: "S")
    }
    usleep(100)
  }
  func stop() {}
}

private final class NoDecoder: AudioDecoder {
  func decode(_ packet: [UInt8]) throws(MediaError) -> [Int16] { [] }
  func recover(from packet: [UInt8], count: Int) throws(MediaError) -> [Int16] { [] }
  func conceal(count: Int) throws(MediaError) -> [Int16] { [] }
}

@Suite struct SpeakerReturnTests {
  private final class Shop: Sendable {
    let tries = Atomic(0)
    let told = Mutex<[String]>([])

    /// Absent twice, then there for good.
    func open() throws(MediaError) -> any AudioSink {
      if tries.add(1, ordering: .sequentiallyConsistent).newValue <= 2 {
        throw MediaError(.absent, "absent", remedy: "plug it in", device: "S")
      }
      return BriefSpeaker(blocks: .max)
    }
    func tell(_ input: ConferenceInput) {
      switch input {
      case .deviceFailed(.speaker, let error): told.withLock { $0.append(error.message) }
      case .deviceReturned(.speaker, let name): told.withLock { $0.append("\(name) is back") }
      default: break
      }
    }
  }

  @Test func `a speaker that was unplugged is told of once and comes back by itself`() throws {
    let shop = Shop()
    let reopen = { @Sendable () throws(MediaError) -> any AudioSink in try shop.open() }
    let thread = try SoundOutThread(
      sink: BriefSpeaker(blocks: 3), reopen: reopen, retryInterval: .milliseconds(1), played: nil,
      makeDecoder: { () throws(MediaError) -> any AudioDecoder in NoDecoder() },
      report: { shop.tell($0) })
    let handle = try thread.start()
    #expect(awaits { shop.told.withLock { $0.count } == 2 })
    thread.stop()
    handle.join()
    #expect(shop.told.withLock { $0 } == ["unplugged", "S is back"])
    #expect(shop.tries.load(ordering: .sequentiallyConsistent) == 3)
  }
}
