import CLinux
package import Media
import Synchronization
package import Units

/// Sound as s16le, 48 kHz, mono into a FIFO or file, written as it would be played.
///
/// Until a FIFO has a reader the sound is lost, as from a speaker that is off. What a reader does
/// not take in time is counted and lost: it never holds up the call.
package final class PCMPipeSink: AudioSink {
  private let path: String
  private let stopping: StopSignal
  private let lost = Atomic<Int>(0)
  /// These are touched by the playout thread.
  private nonisolated(unsafe) var pipe: PipeEnd?
  private nonisolated(unsafe) var pace = PlayoutPace()

  package init(path: String) throws(MediaError) {
    self.path = path
    stopping = try StopSignal()
    pipe = try PipeEnd.writing(path)
    shrink()
  }

  /// Samples that the reader was too slow for.
  package var lostSamples: Int { lost.load(ordering: .relaxed) }

  package func play(_ samples: UnsafeBufferPointer<Int16>) throws(MediaError) {
    let end = pace.end(ofNext: samples.count)
    if pipe == nil {
      pipe = try PipeEnd.writing(path)
      shrink()
    }
    if let pipe { try write(littleEndian(samples), to: pipe, until: end) }
    _ = stopping.sleep(until: end)
  }

  package var delay: Interval { pace.delay }
  package func stop() { stopping.raise() }

  /// Two pages: what a pipe holds is heard late. Others than pipes refuse, which is fine.
  private func shrink() {
    if let pipe { _ = clinux_set_pipe_size(pipe.number, 8_192) }
  }

  /// A block is less than PIPE_BUF bytes, which a pipe takes whole or not at all.
  private func write(_ bytes: [UInt8], to pipe: PipeEnd, until end: Instant) throws(MediaError) {
    while true {
      switch bytes.withUnsafeBytes(pipe.write) {
      case .bytes: return
      case .full:
        guard stopping.wait(for: pipe.number, events: POLLOUT, atMost: end - .now) == .ready else {
          lost.add(bytes.count / 2, ordering: .relaxed)
          return
        }
      case .gone:
        throw MediaError(
          .ended, "the reader of \(path) went away", remedy: "its sound is no longer written")
      case .failed(let reason):
        throw MediaError(
          .failed, "\(path) could not be written (\(reason))", remedy: "check the disk's free space"
        )
      }
    }
  }
}
