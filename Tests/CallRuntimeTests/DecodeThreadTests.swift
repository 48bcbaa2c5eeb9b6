import Call
import Links
import Media
import Receiving
import Runtime
import Synchronization
import Testing
import Units
import Wire

@testable import CallRuntime

/// Shows each frame as a picture as wide as its first byte says, in steps of 16.
private final class SmallDecoder: VideoDecoder {
  func decode(_ frame: [UInt8]) throws(MediaError) -> Picture? {
    guard let first = frame.first, first > 0 else {
      throw MediaError(.malformed, "no picture", remedy: "a new key frame is needed")
    }
    return Picture(size: PictureSize(width: 16 * Int(first), height: 16)) { _ in }
  }
}

/// Wakes who waits for a number of pictures or reports.
private final class Watch: VideoSink {
  private let seen = Mutex((pictures: [PictureSize](), told: [ConferenceInput]()))
  private let news: WakeUp

  init() throws { news = try WakeUp() }

  func show(_ frame: VideoFrame, of peer: String) throws(MediaError) {
    seen.withLock { $0.pictures.append(frame.picture.size) }
    news.signal()
  }
  func remove(peer: String) {}
  func tell(_ input: ConferenceInput) {
    seen.withLock { $0.told.append(input) }
    news.signal()
  }

  var pictures: Int { seen.withLock { $0.pictures.count } }
  var failures: Int {
    seen.withLock { $0.told.count { if case .decodeFailed = $0 { true } else { false } } }
  }
  var shown: [PictureSize] {
    seen.withLock {
      $0.told.compactMap { if case .shown(_, let size) = $0 { size } else { nil } }
    }
  }
  func wait(until isReached: (Watch) -> Bool) {
    while !isReached(self) { news.wait() }
  }
}

@Suite struct DecodeThreadTests {
  private let session = SessionID(bytes: [UInt8](repeating: 1, count: 16))!

  private func frame(_ width: UInt8) -> AssembledFrame {
    AssembledFrame(bytes: [width], isKeyFrame: true, size: nil, rtpTimestamp: 0)
  }

  @Test(.timeLimit(.minutes(1)))
  func `only the first shown picture is told, since each would wake the network thread`() throws {
    let watch = try Watch()
    let thread = try DecodeThread(
      session: session, sink: SharedSink(watch), makeDecoder: { SmallDecoder() },
      report: { watch.tell($0) })
    let handle = try thread.start()
    for number in 1...20 { thread.decode(frame(UInt8(number)), showAt: Clock.now) }
    watch.wait { $0.pictures == 20 }
    // What comes after the pictures in the same turns has been told when this has.
    thread.decode(frame(0), showAt: nil)
    watch.wait { $0.failures == 1 }
    thread.stop()
    handle.join()
    #expect(watch.shown == [PictureSize(width: 16, height: 16)])
  }

  @Test(.timeLimit(.minutes(1)))
  func `a picture that is only there for others is not shown, nor told of`() throws {
    let watch = try Watch()
    let thread = try DecodeThread(
      session: session, sink: SharedSink(watch), makeDecoder: { SmallDecoder() },
      report: { watch.tell($0) })
    let handle = try thread.start()
    thread.decode(frame(1), showAt: nil)
    thread.decode(frame(2), showAt: Clock.now)
    watch.wait { !$0.shown.isEmpty }
    thread.stop()
    handle.join()
    #expect(watch.pictures == 1)
    #expect(watch.shown == [PictureSize(width: 32, height: 16)])
  }
}
