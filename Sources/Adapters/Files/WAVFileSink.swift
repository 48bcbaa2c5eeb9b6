import CLinux
package import Media
package import Units

/// A WAV file (RIFF, PCM, 48 kHz, mono, s16le), written as it would be played.
///
/// Its header is brought up to date every second, so the file can be played even after a crash.
package final class WAVFileSink: AudioSink {
  private let path: String
  private let file: PipeEnd
  private let stopping: StopSignal
  /// These are touched by the playout thread.
  private nonisolated(unsafe) var pace = PlayoutPace()
  private nonisolated(unsafe) var samples = 0
  private static let headerSize = 44
  /// RIFF's lengths have 32 bits.
  private static let limit = (Int(UInt32.max) - headerSize) / 2

  /// Makes the file, or replaces it.
  package init(path: String) throws(MediaError) {
    self.path = path
    guard let file = try PipeEnd.writing(path), file.isRegular else {
      throw MediaError(
        .unsupported, "\(path) is not a file, and a WAV file's header is rewritten at its end",
        remedy: "use pipe:\(path)")
    }
    self.file = file
    stopping = try StopSignal()
    try updateHeader()
  }

  deinit { try? updateHeader() }

  package func play(_ block: UnsafeBufferPointer<Int16>) throws(MediaError) {
    let end = pace.end(ofNext: block.count)
    guard samples + block.count <= Self.limit else {
      throw MediaError(.ended, "\(path) is full", remedy: "a WAV file holds 12 hours")
    }
    try write(littleEndian(block), at: Self.headerSize + 2 * samples)
    let second = samples / AudioFormat.sampleRate
    samples += block.count
    if samples / AudioFormat.sampleRate != second { try updateHeader() }
    _ = stopping.sleep(until: end)
  }

  package var delay: Interval { pace.delay }
  package func stop() { stopping.raise() }

  private func updateHeader() throws(MediaError) {
    let data = 2 * samples
    let header =
      Array("RIFF".utf8) + little(36 + data, 4) + Array("WAVEfmt ".utf8) + little(16, 4)
      + little(1, 2) + little(1, 2) + little(AudioFormat.sampleRate, 4)
      + little(2 * AudioFormat.sampleRate, 4) + little(2, 2) + little(16, 2)
      + Array("data".utf8) + little(data, 4)
    try write(header, at: 0)
  }

  private func little(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  private func write(_ bytes: [UInt8], at offset: Int) throws(MediaError) {
    guard pwrite(file.number, bytes, bytes.count, offset) == bytes.count else {
      throw MediaError(
        .failed, "\(path) could not be written (\(String(cString: strerror(clinux_get_errno()))))",
        remedy: "check the disk's free space")
    }
  }
}

/// PCM's bytes on disk and in pipes, least significant first.
func littleEndian(_ samples: UnsafeBufferPointer<Int16>) -> [UInt8] {
  var bytes: [UInt8] = []
  bytes.reserveCapacity(2 * samples.count)
  for sample in samples {
    bytes.append(UInt8(truncatingIfNeeded: sample))
    bytes.append(UInt8(truncatingIfNeeded: sample >> 8))
  }
  return bytes
}
