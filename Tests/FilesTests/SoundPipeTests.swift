import CLinux
import Fixtures
import Media
import Testing
import Units

@testable import Files

struct SoundPipeTests {
  private let folder = ScratchDirectory()

  private func play(_ samples: [Int16], into sink: some AudioSink) throws {
    try samples.withUnsafeBufferPointer { try sink.play($0) }
  }
  private func block(_ value: Int16) -> [Int16] { [Int16](repeating: value, count: 480) }
  private func bytes(_ samples: [Int16]) -> [UInt8] {
    samples.withUnsafeBufferPointer(littleEndian)
  }

  @Test func `sound from a file comes in blocks, filled up at its end`() throws {
    let samples = (0..<1_000).map { Int16($0 * 31 - 15_000) }
    let source = try PCMPipeSource(path: folder.file("in.pcm", bytes(samples)))
    let blocks = try (0..<3).map { _ in try #require(try source.nextBlock()) }
    #expect(blocks.flatMap(\.samples) == samples + [Int16](repeating: 0, count: 440))
    #expect(blocks[1].capturedAt - blocks[0].capturedAt == .milliseconds(10))
    #expect { _ = try source.nextBlock() } throws: {
      ($0 as? MediaError)?.message == "the sound of \(folder.path)/in.pcm is over"
    }
  }

  @Test func `a writer faster than sound is held back to real time`() throws {
    let source = try PCMPipeSource(
      path: folder.file("in.pcm", [UInt8](repeating: 0, count: 960 * 30)))
    let start = Instant.now
    for _ in 0..<30 { _ = try #require(try source.nextBlock()) }
    // 300 ms of sound, of which 100 may be ahead.
    #expect(Instant.now - start >= .milliseconds(180))
  }

  @Test func `a writer's bytes may come in any pieces`() throws {
    let path = folder.fifo("in")
    let source = try PCMPipeSource(path: path)
    let samples = block(1_234) + block(-77)
    let all = bytes(samples)
    let writer = Background { () -> Bool in
      guard let file = fopen(path, "wb") else { return false }
      for byte in all {
        var byte = byte
        fwrite(&byte, 1, 1, file)
        fflush(file)
      }
      fclose(file)
      return true
    }
    let first = try #require(try source.nextBlock())
    let second = try #require(try source.nextBlock())
    #expect(first.samples + second.samples == samples)
    #expect(writer.value)
    #expect(throws: MediaError.self) { _ = try source.nextBlock() }
  }

  @Test func `stop ends a wait for sound that never comes`() throws {
    let source = try PCMPipeSource(path: folder.fifo("in"))
    let waiting = Background { (try? source.nextBlock()) == nil }
    source.stop()
    #expect(waiting.value)
  }

  @Test func `a WAV file is what sox or ffmpeg says it is`() throws {
    let path = folder.path + "/out.wav"
    let samples = ToneSignal().samples(from: .zero + .milliseconds(970), count: 4_800)
    do {
      let sink = try WAVFileSink(path: path)
      sink.stop()
      for start in stride(from: 0, to: samples.count, by: 480) {
        try play(Array(samples[start..<start + 480]), into: sink)
      }
    }
    let written = contents(of: path)
    #expect(written.count == 44 + 9_600)
    #expect(Array(written[44...]) == bytes(samples))
    guard
      let raw = output(of: "ffmpeg -v error -i '\(path)' -f s16le - | md5sum"),
      let format = output(
        of: "ffprobe -v error -show_entries stream=codec_name,sample_rate,channels,duration "
          + "-of csv=p=0 '\(path)'")
    else {
      print("notice: ffmpeg is absent")
      return
    }
    let data = folder.file("raw", bytes(samples))
    #expect(raw == output(of: "cat '\(data)' | md5sum"))
    #expect(format == "pcm_s16le,48000,1,0.100000\n")
  }

  @Test func `a WAV file is readable before it is finished`() throws {
    let path = folder.path + "/out.wav"
    let sink = try WAVFileSink(path: path)
    sink.stop()
    for _ in 0..<101 { try play(block(3), into: sink) }
    let written = contents(of: path)
    // The header knows of the last whole second.
    #expect(Array(written[40..<44]) == [0x00, 0x77, 0x01, 0x00])
    withExtendedLifetime(sink) {}
  }

  @Test func `a WAV file cannot be a pipe`() {
    #expect { _ = try WAVFileSink(path: folder.fifo("out")) } throws: {
      ($0 as? MediaError)?.kind == .unsupported
    }
  }

  @Test func `a pipe's reader gets what is played, and may come late`() throws {
    let path = folder.fifo("out")
    let sink = try PCMPipeSink(path: path)
    try play(block(1), into: sink)
    let reader = clinux_open(path, O_RDONLY | O_NONBLOCK, 0)
    for value in Int16(2)...5 { try play(block(value), into: sink) }
    var heard = [UInt8](repeating: 0, count: 8_192)
    let count = read(reader, &heard, heard.count)
    #expect(Array(heard[..<max(0, count)]) == bytes((2...5).flatMap(block)))
    #expect(sink.lostSamples == 0)
    close(reader)
    #expect { try play(block(6), into: sink) } throws: { ($0 as? MediaError)?.kind == .ended }
  }

  @Test func `a reader that does not read loses sound and nothing else`() throws {
    let path = folder.fifo("out")
    let reader = clinux_open(path, O_RDONLY | O_NONBLOCK, 0)
    let sink = try PCMPipeSink(path: path)
    for _ in 0..<12 { try play(block(1), into: sink) }
    #expect(sink.lostSamples > 0)
    #expect(sink.lostSamples % 480 == 0)
    close(reader)
  }
}
