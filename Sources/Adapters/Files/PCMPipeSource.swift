import CLinux
package import Media
import Units

/// Sound as s16le, 48 kHz, mono from a FIFO, a file or standard input (`-`), paced by its writer.
///
/// A writer faster than sound, such as a file, is held back to real time; after a pause the clock
/// starts anew. A FIFO may be opened before its writer comes.
package final class PCMPipeSource: AudioSource {
  private let path: String
  private let pipe: PipeEnd
  private let stopping: StopSignal
  /// These are touched by the one thread that takes blocks: when the next block's first sample was
  /// captured, and bytes that make no whole block yet.
  private nonisolated(unsafe) var next: Instant?
  private nonisolated(unsafe) var partial: [UInt8] = []
  private nonisolated(unsafe) var isOver = false
  /// How far a writer may be ahead or behind before something is done about it.
  private static let slack = Interval.milliseconds(100)
  private static let blockBytes = 2 * AudioFormat.blockSamples

  package init(path: String) throws(MediaError) {
    self.path = path
    pipe = try PipeEnd.reading(path)
    stopping = try StopSignal()
    // What waits in the pipe is heard late.
    _ = clinux_set_pipe_size(pipe.number, 8_192)
  }

  /// The last block is filled up with silence; after it `.ended` is thrown.
  package func nextBlock() throws(MediaError) -> AudioBlock? {
    guard try readBlock() else { return nil }
    let now = Instant.now
    var first = next ?? now - AudioFormat.blockDuration
    if now - first - AudioFormat.blockDuration > Self.slack {
      first = now - AudioFormat.blockDuration
    }
    let due = first + AudioFormat.blockDuration - Self.slack
    // Reading looked at the signal: asking again would be a system call for every block.
    if due > now, !stopping.sleep(until: due) { return nil }
    next = first + AudioFormat.blockDuration
    let block = samples(littleEndian: partial)
    partial.removeAll(keepingCapacity: true)
    return AudioBlock(samples: block, capturedAt: first)
  }

  package func stop() { stopping.raise() }

  /// Fills `partial` to one block; false when stopped.
  private func readBlock() throws(MediaError) -> Bool {
    var buffer = [UInt8](repeating: 0, count: Self.blockBytes)
    while partial.count < Self.blockBytes {
      let got = isOver ? 0 : try read(&buffer, Self.blockBytes - partial.count)
      guard let got else { return false }
      if got == 0 {
        guard !partial.isEmpty else {
          throw MediaError(
            .ended, "the sound of \(sourceName(path)) is over", remedy: "nothing is sent for it now"
          )
        }
        if stopping.isRaised { return false }
        isOver = true
        partial += [UInt8](repeating: 0, count: Self.blockBytes - partial.count)
      }
      partial += buffer[..<got]
    }
    return true
  }

  private func read(_ buffer: inout [UInt8], _ count: Int) throws(MediaError) -> Int? {
    var failure: MediaError?
    let got = buffer.withUnsafeMutableBytes { bytes -> Int? in
      guard let base = bytes.baseAddress else { return 0 }
      do throws(MediaError) {
        return try pipe.read(into: base, count: count, unless: stopping)
      } catch {
        failure = error
        return nil
      }
    }
    if let failure { throw failure }
    return got
  }
}

/// The samples of PCM's bytes; an odd last byte is left out.
func samples(littleEndian bytes: [UInt8]) -> [Int16] {
  (0..<bytes.count / 2).map {
    Int16(bitPattern: UInt16(bytes[2 * $0]) | UInt16(bytes[2 * $0 + 1]) << 8)
  }
}

/// How messages call a source.
func sourceName(_ path: String) -> String { path == "-" ? "standard input" : path }
