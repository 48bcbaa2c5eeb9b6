import CLinux
import Judging
import Media
import Runtime
import Units

/// Hands a book's pictures to a FIFO as YUV4MPEG2, paced by the judge's clock, each stamped just
/// before it is written.
final class FrameFeeder: Sendable {
  private let sentFrames = Guarded<[SentFrame]>([])
  private let isDone = Guarded(false)
  private let path: String

  init(_ book: FrameBook, into path: String) throws(BenchError) {
    self.path = path
    let (sentFrames, isDone) = (sentFrames, isDone)
    do {
      try Thread.start("frames") { feed(book, path, sentFrames, isDone) }.detach()
    } catch { throw BenchError("\(error)") }
  }

  var sent: [SentFrame] { sentFrames.value }

  func stop() {
    isDone.change { $0 = true }
    release(path)
  }
}

/// Hands sound to a FIFO: 10 ms at a time, when their last sample would have been heard.
final class SoundFeeder: Sendable {
  private let span = Guarded<(from: Instant, to: Instant)?>(nil)
  private let isDone = Guarded(false)
  private let path: String

  /// `speech` is repeated under the chirps of `voice`.
  init(_ speech: [Int16], voice: Int, into path: String) throws(BenchError) {
    self.path = path
    let (span, isDone) = (span, isDone)
    do {
      try Thread.start("sound") { sing(speech, ToneSignal(voice: voice), path, span, isDone) }
        .detach()
    } catch { throw BenchError("\(error)") }
  }

  var from: Instant? { span.value?.from }
  var to: Instant? { span.value?.to }

  func stop() {
    isDone.change { $0 = true }
    release(path)
  }
}

/// Lets a thread that waits for a FIFO's other side go on.
private func release(_ path: String) {
  let descriptor = clinux_open(path, O_RDONLY | O_NONBLOCK, 0)
  if descriptor >= 0 { close(descriptor) }
}

private func openForWriting(_ path: String) -> Int32 {
  let descriptor = clinux_open(path, O_WRONLY, 0)
  if descriptor >= 0 { _ = clinux_set_pipe_size(descriptor, 1 << 20) }
  return descriptor
}

private func feed(
  _ book: FrameBook, _ path: String, _ sent: Guarded<[SentFrame]>, _ isDone: Guarded<Bool>
) {
  let descriptor = openForWriting(path)
  guard descriptor >= 0 else { return }
  defer { close(descriptor) }
  let header =
    "YUV4MPEG2 W\(book.size.width) H\(book.size.height) F\(book.framesPerSecond):1 Ip A1:1 C420\n"
  guard writeAll(descriptor, Array(header.utf8)) else { return }
  let interval = Interval.seconds(1 / Double(book.framesPerSecond))
  let start = Clock.now
  let buffer = UnsafeMutableRawBufferPointer.allocate(
    byteCount: 6 + book.size.pixels * 3 / 2, alignment: 16)
  defer { buffer.deallocate() }
  buffer.copyBytes(from: Array("FRAME\n".utf8))
  let planes = UnsafeMutableRawBufferPointer(rebasing: buffer[6...])
  var index: UInt32 = 0
  while !isDone.value {
    sleep(until: start + interval * Double(index))
    let number = book.firstNumber + index
    planes.copyMemory(from: book.picture(number).bytes)
    let clock = PaintedClock(number: number, at: Clock.now)
    clock.paint(into: planes, size: book.size)
    guard writeAll(descriptor, UnsafeRawBufferPointer(buffer)) else { return }
    sent.change { $0.append(SentFrame(number: number, at: clock.instant)) }
    index += 1
    // A reader that held us up makes us leave pictures out, not late.
    let due = start + interval * Double(index)
    if Clock.now - due > interval * 2 {
      index += UInt32((Clock.now - due).seconds / interval.seconds)
    }
  }
}

private func sing(
  _ speech: [Int16], _ tone: ToneSignal, _ path: String,
  _ span: Guarded<(from: Instant, to: Instant)?>, _ isDone: Guarded<Bool>
) {
  let descriptor = openForWriting(path)
  guard descriptor >= 0 else { return }
  defer { close(descriptor) }
  // Little room: what waits in the pipe is delay.
  _ = clinux_set_pipe_size(descriptor, 4096)
  let start = Clock.now
  var block = 0
  while !isDone.value {
    let begins = start + AudioFormat.blockDuration * Double(block)
    let ends = begins + AudioFormat.blockDuration
    var samples = (0..<AudioFormat.blockSamples).map {
      speech[(block * AudioFormat.blockSamples + $0) % speech.count]
    }
    tone.addChirps(to: &samples, from: begins)
    sleep(until: ends)
    guard samples.withUnsafeBytes({ writeAll(descriptor, $0) }) else { return }
    span.change { $0 = ($0?.from ?? begins, ends) }
    block += 1
  }
}
