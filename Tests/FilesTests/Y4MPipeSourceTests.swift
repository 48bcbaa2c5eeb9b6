import CLinux
import Fixtures
import Media
import Testing
import Units

@testable import Files

struct Y4MPipeSourceTests {
  private let folder = ScratchDirectory()

  @Test func `each picture of a writer that waits for it arrives`() throws {
    let path = folder.fifo("in")
    let source = try Y4MPipeSource(path: path)
    let writer = try #require(fopen(path, "wb"))
    let stream = flatStream([])
    fwrite(stream, 1, stream.count, writer)
    var seen: [UInt8] = []
    for value in UInt8(20)..<40 {
      let picture = Array("FRAME Ip\n".utf8) + [UInt8](repeating: value, count: 4_608)
      fwrite(picture, 1, picture.count, writer)
      fflush(writer)
      let frame = try #require(try source.nextFrame())
      #expect(frame.picture.bytes.allSatisfy { $0 == value })
      seen.append(frame.picture.luma[0])
    }
    #expect(seen == Array(20..<40))
    #expect(source.size == PictureSize(width: 64, height: 48))
    #expect(source.framesPerSecond == 30)
    fclose(writer)
    #expect { _ = try source.nextFrame() } throws: { ($0 as? MediaError)?.kind == .ended }
  }

  @Test func `the newest picture wins over those that were not taken`() throws {
    let path = folder.fifo("in")
    let source = try Y4MPipeSource(path: path)
    let writer = try #require(fopen(path, "wb"))
    let stream = flatStream(Array(0..<100))
    fwrite(stream, 1, stream.count, writer)
    fclose(writer)
    // The end is noticed after the last picture was put: then only that one is left.
    while source.isReading { usleep(1_000) }
    let last = try #require(try source.nextFrame())
    #expect(last.picture.luma[0] == 99)
    #expect { _ = try source.nextFrame() } throws: { ($0 as? MediaError)?.kind == .ended }
  }

  @Test func `a file is read at its rate and ends`() throws {
    let path = folder.file(
      "clip.y4m", flatStream([1, 2, 3, 4], header: "YUV4MPEG2 W64 H48 F100:1\n"))
    let source = try Y4MPipeSource(path: path)
    var seen: [UInt8] = []
    var times: [Instant] = []
    do {
      while let frame = try source.nextFrame() {
        seen.append(frame.picture.luma[0])
        times.append(frame.capturedAt)
      }
    } catch {
      #expect(error.kind == .ended)
      #expect(error.message == "the pictures of \(path) are over")
    }
    #expect(seen.last == 4)
    #expect(seen == seen.sorted())
    #expect(
      times.last! - times[0] >= .milliseconds(10) * Double(seen[seen.count - 1] - seen[0])
        - .milliseconds(9))
  }

  @Test func `stop ends a wait for a writer that never comes`() throws {
    let source = try Y4MPipeSource(path: folder.fifo("in"))
    let waiting = Background { (try? source.nextFrame()) == nil }
    source.stop()
    source.stop()
    #expect(waiting.value)
  }

  @Test func `a stream that stops in the middle of a picture says so`() throws {
    let path = folder.file("cut.y4m", Array(flatStream([7, 8]).dropLast(100)))
    let source = try Y4MPipeSource(path: path)
    let first = try #require(try source.nextFrame())
    #expect(first.picture.luma[0] == 7)
    #expect {
      _ = try source.nextFrame()
    } throws: {
      ($0 as? MediaError)?.message == "the pictures of \(path) end in the middle of one"
    }
  }

  @Test(arguments: [
    "", "no pictures here\n", "YUV4MPEG2 W640 H480 C422\n", "YUV4MPEG2 W64 H48\nFRAMES\n",
    String(repeating: "x", count: 2_000),
  ])
  func `what is no such stream is refused in one sentence`(_ text: String) throws {
    let source = try Y4MPipeSource(path: folder.file("bad.y4m", Array(text.utf8)))
    #expect { _ = try source.nextFrame() } throws: {
      ($0 as? MediaError).map { $0.kind == .malformed || $0.kind == .unsupported } ?? false
    }
  }

  @Test func `files that cannot be opened are refused at once`() {
    #expect { _ = try Y4MPipeSource(path: "/nonexistent/in") } throws: {
      ($0 as? MediaError)?.kind == .absent
    }
    #expect { _ = try Y4MPipeSource(path: "/") } throws: {
      ($0 as? MediaError)?.message == "/ is a directory"
    }
  }

  @Test func `odd sides are made even and full range is limited`() throws {
    var stream = Array("YUV4MPEG2 W17 H17 XCOLORRANGE=FULL\nFRAME\n".utf8)
    stream += (0..<17 * 17).map { UInt8($0 % 17 == 16 ? 255 : 0) }
    stream += [UInt8](repeating: 128, count: 81) + [UInt8](repeating: 0, count: 81)
    let source = try Y4MPipeSource(path: folder.file("odd.y4m", stream))
    let frame = try #require(try source.nextFrame())
    let picture = frame.picture
    #expect(picture.size == PictureSize(width: 18, height: 18))
    for row in 0..<18 {
      #expect(
        Array(picture.luma[row * 18..<row * 18 + 18]) == [UInt8](repeating: 16, count: 16) + [
          235, 235,
        ])
    }
    #expect(picture.chromaU.allSatisfy { $0 == 128 })
    #expect(picture.chromaV.allSatisfy { $0 == 16 })
  }

  @Test func `what ffmpeg writes is read`() throws {
    let path = folder.path + "/ffmpeg.y4m"
    guard
      output(
        of: "ffmpeg -v error -f lavfi -i testsrc=size=320x240:rate=1:duration=2 "
          + "-pix_fmt yuv420p '\(path)'") != nil
    else {
      print("notice: ffmpeg is absent")
      return
    }
    let source = try Y4MPipeSource(path: path)
    let frame = try #require(try source.nextFrame())
    #expect(source.size == PictureSize(width: 320, height: 240))
    #expect(source.framesPerSecond == 1)
    let picture = frame.picture
    let raw = contents(of: path)
    let first = raw.dropFirst(raw.count - (320 * 240 * 3 / 2 + 6) * 2 + 6).prefix(
      320 * 240 * 3 / 2)
    #expect(Array(picture.bytes) == Array(first))
  }
}
