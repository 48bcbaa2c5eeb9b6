import Call
import Glibc
import Media
import Runtime
import Synchronization
import Testing
import Units

@testable import CallRuntime

/// What it was told to do, in order.
private final class Diary: Sendable {
  private let lines = Mutex<[String]>([])
  func note(_ line: String) { lines.withLock { $0.append(line) } }
  var all: [String] { lines.withLock { $0 } }
}

private final class DiaryEncoder: VideoEncoder {
  private let diary: Diary
  private let fails: Bool
  /// Only its one thread uses it.
  private nonisolated(unsafe) var size: PictureSize?

  init(_ diary: Diary, fails: Bool = false) {
    self.diary = diary
    self.fails = fails
    diary.note("made")
  }

  func prepare(_ settings: VideoEncoderSettings) {
    size = settings.size
    diary.note("ready for \(settings.size)")
  }

  func encode(
    _ frame: VideoFrame, settings: VideoEncoderSettings, forceKeyFrame: Bool
  ) throws(MediaError) -> EncodedVideoFrame? {
    if fails { throw MediaError(.failed, "broken", remedy: "none") }
    // As libvpx's: for another size it is made anew.
    if let size, size != settings.size { diary.note("made again for \(settings.size)") }
    size = settings.size
    diary.note("encoded")
    return EncodedVideoFrame(
      bytes: [], isKeyFrame: forceKeyFrame, size: settings.size,
      capturedAt: frame.capturedAt)
  }
}

@Suite struct EncodeThreadTests {
  /// The thread with an encoder that tells what it does, and what the thread tells.
  private final class Bench: Sendable {
    let diary = Diary()
    let thread: EncodeThread
    private let handle: Thread

    init(
      fails: Bool = false, largest: PictureSize = PictureSize(width: 1_280, height: 720)
    ) throws {
      let diary = diary
      thread = try EncodeThread(
        largest: largest,
        makeEncoder: { () throws(MediaError) -> any VideoEncoder in
          DiaryEncoder(diary, fails: fails)
        },
        report: { input in
          if case .encodedVideo(let frame) = input {
            diary.note("\(frame.rendition) \(frame.isKeyFrame ? "key" : "delta")")
          }
          return true
        },
        fail: { diary.note("failed: \($0.message)") })
      handle = try thread.start()
    }

    func take(
      _ size: PictureSize = PictureSize(width: 64, height: 48), at time: Instant = Clock.now
    ) {
      thread.take(
        VideoFrame(picture: Picture(size: size) { _ in }, capturedAt: time), framesPerSecond: 30)
    }
    func order(
      _ rendition: Rendition = .main, _ size: PictureSize = PictureSize(width: 64, height: 48),
      at rate: Bitrate = .kilobits(1_000)
    ) {
      thread.order(rendition, VideoOrder(size: size, framesPerSecond: 30, bitrate: rate))
    }
    func has(_ lines: [String]) -> Bool { awaits { self.diary.all == lines } }

    func end() {
      thread.stop()
      handle.join()
    }
  }

  private static let ready = ["made", "ready for 64x48"]

  @Test func `who comes gets the picture that is there, from an encoder that is ready`() throws {
    let bench = try Bench()
    defer { bench.end() }
    bench.take()
    #expect(bench.has(Self.ready))
    bench.thread.wantKeyFrame(.main)
    bench.order()
    #expect(bench.has(Self.ready + ["encoded", "main key"]))
  }

  /// The last is as large as a source's may be; that of 1078 lines is rounded twice, by the order and
  /// by the encoding.
  @Test(arguments: [
    (1_280, 720, "1280x720"), (640, 480, "640x480"), (1_920, 1_080, "1280x720"),
    (1_920, 1_078, "1278x718"), (3_840, 2_160, "1280x720"), (4_096, 16, "1280x16"),
    (16, 4_096, "16x720"), (16, 16, "16x16"), (4_096, 4_096, "720x720"),
  ])
  func `ready is the encoder that the first order needs, however large the source's pictures are`(
    width: Int, height: Int, encoded: String
  ) throws {
    let largest = PictureSize(width: 1_280, height: 720)
    let bench = try Bench(largest: largest)
    defer { bench.end() }
    let size = PictureSize(width: width, height: height)
    bench.take(size)
    #expect(bench.has(["made", "ready for \(encoded)"]), "\(bench.diary.all)")
    // The picture may have become too old on a busy machine.
    bench.order(.main, size.shrunk(into: largest))
    bench.take(size)
    #expect(awaits { bench.diary.all.contains("main delta") })
    #expect(!bench.diary.all.contains { $0.hasPrefix("made again") }, "\(bench.diary.all)")
  }

  @Test func `each picture is encoded once, whatever is ordered meanwhile`() throws {
    let bench = try Bench()
    defer { bench.end() }
    bench.order()
    bench.take()
    #expect(bench.has(["made", "encoded", "main delta"]))
    bench.order(.small)
    #expect(bench.has(["made", "encoded", "main delta", "made", "encoded", "small delta"]))
    bench.thread.order(.small, nil)
    bench.order(.small)
    usleep(20_000)
    #expect(bench.diary.all.count == 6)
  }

  @Test func `what was seen before the camera was off is never sent`() throws {
    let bench = try Bench()
    defer { bench.end() }
    bench.take()
    #expect(bench.has(Self.ready))
    bench.thread.turn(on: false)
    bench.take()
    bench.order()
    usleep(20_000)
    bench.thread.turn(on: true)
    bench.order()
    usleep(20_000)
    #expect(bench.diary.all == Self.ready)
    bench.take()
    #expect(bench.has(Self.ready + ["encoded", "main delta"]))
  }

  @Test func `a picture of long ago is not sent`() throws {
    let bench = try Bench()
    defer { bench.end() }
    bench.take(at: Clock.now - .milliseconds(101))
    bench.order()
    usleep(20_000)
    #expect(bench.diary.all.isEmpty)
  }

  @Test func `an encoder that is wanted no more gives way to one that is ready`() throws {
    let bench = try Bench()
    defer { bench.end() }
    bench.order()
    bench.take()
    #expect(bench.has(["made", "encoded", "main delta"]))
    bench.thread.order(.main, nil)
    bench.take()
    #expect(bench.has(["made", "encoded", "main delta"] + Self.ready))
  }

  @Test func `an encoder that fails is told of once, until the source is on again`() throws {
    let bench = try Bench(fails: true)
    defer { bench.end() }
    bench.order()
    bench.take()
    #expect(bench.has(["made", "failed: broken"]))
    bench.take()
    usleep(20_000)
    #expect(bench.diary.all.count == 2)
    bench.thread.turn(on: true)
    bench.take()
    #expect(bench.has(["made", "failed: broken", "made", "failed: broken"]))
  }

  // MARK: Ahead of the order

  /// So far in the future that no picture is too old, however busy the machine is.
  private static let time = Clock.now + .seconds(60)
  private static let ahead = ready + ["encoded"]

  /// The first picture has been encoded for somebody who is on the way.
  private func benchAhead(at time: Instant = time) throws -> Bench {
    let bench = try Bench()
    bench.take(at: time)
    #expect(bench.has(Self.ready))
    bench.thread.expectOrder()
    #expect(bench.has(Self.ahead))
    return bench
  }

  @Test func `who is on the way gets what was encoded meanwhile, and then what comes next`() throws
  {
    let bench = try benchAhead()
    defer { bench.end() }
    // Young enough.
    bench.take(at: Self.time + .milliseconds(33))
    bench.thread.wantKeyFrame(.main)
    bench.order()
    #expect(bench.has(Self.ahead + ["main key"]), "\(bench.diary.all)")
    bench.take(at: Self.time + .milliseconds(66))
    #expect(bench.has(Self.ahead + ["main key", "encoded", "main delta"]), "\(bench.diary.all)")
  }

  @Test func `what was encoded ahead waits as long as pictures are held`() throws {
    let bench = try benchAhead()
    defer { bench.end() }
    bench.thread.hold(.main, true)
    bench.order()
    bench.take(at: Self.time + .milliseconds(33))
    usleep(20_000)
    #expect(bench.has(Self.ahead), "\(bench.diary.all)")
    bench.thread.hold(.main, false)
    bench.take(at: Self.time + .milliseconds(66))
    #expect(bench.has(Self.ahead + ["main key"]), "\(bench.diary.all)")
  }

  enum Mismatch: CaseIterable { case size, rate, cameraWasOff, age }

  @Test(arguments: Mismatch.allCases)
  func `what was encoded ahead and is not what is wanted is thrown away, and a key frame made`(
    mismatch: Mismatch
  ) throws {
    let bench = try benchAhead(
      at: mismatch == .age ? Clock.now : Self.time)
    defer { bench.end() }
    var size = PictureSize(width: 64, height: 48)
    var rate = Bitrate.kilobits(1_000)
    var again: [String] = []
    switch mismatch {
    case .size:
      size = PictureSize(width: 32, height: 24)
      again = ["made again for 32x24"]
    case .rate: rate = .kilobits(255)
    case .cameraWasOff:
      bench.thread.turn(on: false)
      bench.thread.turn(on: true)
    case .age: usleep(101_000)
    }
    bench.order(.main, size, at: rate)
    bench.take(at: Self.time + .milliseconds(33))
    #expect(bench.has(Self.ahead + again + ["encoded", "main key"]), "\(bench.diary.all)")
    bench.take(at: Self.time + .milliseconds(66))
    #expect(bench.has(Self.ahead + again + ["encoded", "main key", "encoded", "main delta"]))
  }

  @Test func `what was encoded ahead is made anew when its picture is older than 70 ms`() throws {
    let bench = try benchAhead(at: Clock.now)
    defer { bench.end() }
    usleep(71_000)
    bench.take(at: Self.time)
    #expect(bench.has(Self.ahead + ["encoded"]))
    bench.take(at: Self.time + .milliseconds(33))
    usleep(20_000)
    #expect(bench.has(Self.ahead + ["encoded"]))
  }

  @Test func `nothing is encoded any more a second after somebody was on the way`() throws {
    let bench = try Bench()
    defer { bench.end() }
    bench.thread.expectOrder()
    usleep(1_050_000)
    bench.take(at: Self.time)
    #expect(bench.has(Self.ready))
    usleep(20_000)
    #expect(bench.has(Self.ready))
  }
}
