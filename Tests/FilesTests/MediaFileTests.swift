import CLinux
import Fixtures
import Media
import Testing
import Units

@testable import Files

/// Clips are made with ffmpeg; where it is absent the tests that need one are left out.
@Suite(.enabled(if: output(of: "ffmpeg -version") != nil, "ffmpeg is absent"))
struct MediaFileTests {
  private let folder = ScratchDirectory()
  private static let size = PictureSize(width: 320, height: 240)
  private static let pattern = PatternPicture(size: size)

  /// A clip of `frames` numbered pictures at 30 a second and `sound` seconds of sound, with a chirp
  /// after 0.2 s.
  private func clip(_ name: String, frames: Int, sound: Double, _ codecs: String) throws -> String {
    let stream =
      Array(Y4MHeader(width: 320, height: 240, framesPerSecond: 30).line.utf8)
      + (0..<frames).flatMap { number -> [UInt8] in
        let picture = Self.pattern.picture(number: UInt32(number), at: .zero)
        return Array("FRAME\n".utf8) + Array(picture.bytes)
      }
    var samples = [Int16](repeating: 0, count: Int(sound * 48_000))
    ToneSignal().addChirps(to: &samples, from: .zero + .milliseconds(800))
    let pictures = folder.file("pictures.y4m", stream)
    let pcm = folder.file("sound.pcm", samples.withUnsafeBufferPointer(littleEndian))
    let path = folder.path + "/" + name
    let command =
      "ffmpeg -v error -y -i '\(pictures)' -f s16le -ar 48000 -ac 1 -i '\(pcm)' \(codecs) '\(path)'"
    try #require(output(of: command) != nil)
    return path
  }

  private func reading(_ path: String, _ options: [String] = []) throws -> ClipReading {
    let reading = try ClipReading(path, ["play"] + options)
    reading.begin()
    return reading
  }

  /// Painted numbers with their times, up to `end`.
  private func numbers(_ reading: ClipReading, until end: Interval) throws -> [(UInt32, Interval)] {
    var found: [(UInt32, Interval)] = []
    while let next = try reading.pictures.take(), next.offset < end {
      let picture = next.value
      found.append((try #require(PaintedClock.read(picture)).number, next.offset))
    }
    return found
  }

  /// The sound up to `end`, each block at its time.
  private func sound(_ reading: ClipReading, until end: Interval) throws -> [Int16] {
    var samples = [Int16](repeating: 0, count: Int(end.seconds * 48_000))
    while let next = try reading.sound.take(), next.offset < end {
      let start = Int((next.offset.seconds * 48_000).rounded())
      samples.replaceSubrange(start..<start + 480, with: next.value)
    }
    return samples
  }

  @Test(arguments: [
    ("clip.mp4", "-c:v mpeg4 -q:v 3 -c:a aac"), ("clip.mkv", "-c:v ffv1 -c:a flac"),
    ("clip.webm", "-c:v libvpx -b:v 1M -c:a libopus"),
  ])
  func `pictures and sound of every loop are in step`(_ name: String, _ codecs: String) throws {
    let reading = try reading(try clip(name, frames: 15, sound: 0.5, codecs))
    #expect(reading.description.pictureSize == Self.size)
    #expect(reading.description.framesPerSecond == 30)
    #expect(reading.description.hasSound)
    let heard = Background { try? sound(reading, until: .seconds(1.3)) }
    let seen = try numbers(reading, until: .seconds(1.3))
    let marks = ChirpDetector().marks(in: try #require(heard.value))
    reading.stop()
    // A codec's padding may make a loop a little longer than half a second.
    #expect(seen.count > 20)
    let starts = seen.filter { $0.0 == 0 }.map(\.1)
    #expect(starts.count >= 2)
    for (number, time) in seen {
      let loop = try #require(starts.last { $0 <= time })
      let wanted = loop + .seconds(Double(number) / 30)
      // The last picture is held where the sound is longer.
      #expect((time - wanted).magnitude <= .milliseconds(2) || number == 14)
    }
    for start in starts where start + .milliseconds(300) < .seconds(1.3) {
      let chirp = Int((start.seconds + 0.2) * 48_000)
      #expect(marks.contains { abs($0.start - chirp) < 480 }, "\(start.seconds) \(marks)")
    }
  }

  @Test func `the shorter stream is padded at each loop`() throws {
    let long = try reading(try clip("long.mkv", frames: 15, sound: 0.3, "-c:v ffv1 -c:a flac"))
    let heard = try sound(long, until: .seconds(1))
    long.stop()
    let marks = ChirpDetector().marks(in: heard)
    #expect(marks.map { ($0.start + 240) / 480 } == [20, 70])
    let short = try reading(try clip("short.mkv", frames: 6, sound: 0.5, "-c:v ffv1 -c:a flac"))
    let seen = try numbers(short, until: .seconds(0.9))
    short.stop()
    // Pictures that came too late to be taken may be missing.
    for (number, time) in seen {
      let frame = Int((time.seconds * 30).rounded()) % 15
      #expect(number == UInt32(min(frame, 5)), "\(time.seconds)")
    }
    #expect(seen.contains { $0.0 == 5 && $0.1 > .milliseconds(300) })
  }

  @Test func `pictures are scaled down to the limit and thinned out to the rate`() throws {
    let path = folder.path + "/large.mkv"
    try #require(
      output(
        of: "ffmpeg -v error -f lavfi -i testsrc=size=1000x500:rate=60:duration=0.5 -c:v ffv1 "
          + "'\(path)'") != nil)
    let reading = try reading(path, ["--size", "320x240", "--fps", "30"])
    #expect(reading.description.pictureSize == PictureSize(width: 320, height: 160))
    #expect(reading.description.framesPerSecond == 30)
    #expect(!reading.description.hasSound)
    var times: [Interval] = []
    while let next = try reading.pictures.take(), next.offset < .milliseconds(450) {
      times.append(next.offset)
    }
    reading.stop()
    #expect(times.allSatisfy { abs($0.seconds * 30 - ($0.seconds * 30).rounded()) < 0.1 })
  }

  @Test(arguments: [90, 180, 270])
  func `what a phone recorded sideways is shown upright, as ffmpeg shows it`(
    _ angle: Int
  ) throws {
    let upright = try clip("upright.mp4", frames: 2, sound: 0.1, "-c:v mpeg4 -q:v 2 -c:a aac")
    let path = folder.path + "/turned.mp4"
    let raw = folder.path + "/turned.yuv"
    try #require(
      output(
        of: "ffmpeg -v error -i '\(upright)' -c copy -metadata:s:v rotate=\(angle) '\(path)' "
          + "&& ffmpeg -v error -i '\(path)' -frames:v 1 -pix_fmt yuv420p -f rawvideo '\(raw)'")
        != nil)
    let reading = try reading(path)
    let isTurned = angle != 180
    #expect(
      reading.description.pictureSize
        == PictureSize(width: isTurned ? 240 : 320, height: isTurned ? 320 : 240))
    let first = try #require(try reading.pictures.take())
    reading.stop()
    let picture = first.value
    #expect(Array(picture.bytes) == contents(of: raw))
  }

  @Test func `a play list cannot make it open other files`() throws {
    let segment = folder.path + "/segment.ts"
    try #require(
      output(
        of: "ffmpeg -v error -f lavfi -i testsrc=size=320x240:rate=30:duration=1 -c:v mpeg2video "
          + "'\(segment)'") != nil)
    #expect(try ClipReading(segment, ["play"]).description.pictureSize == Self.size)
    let lists = [
      "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n\(segment)\n#EXT-X-ENDLIST\n",
      "ffconcat version 1.0\nfile segment.ts\n",
    ]
    for list in lists {
      let path = folder.file("list.mp4", Array(list.utf8))
      #expect(throws: MediaError.self) { _ = try ClipReading(path, ["play"]) }
    }
  }

  @Test func `a still picture is shown over and over`() throws {
    let path = folder.path + "/a%d.png"
    try #require(
      output(
        of:
          "ffmpeg -v error -f lavfi -i color=red:size=300x200,format=rgb24,crop=201:101 -frames:v 1 -update 1 "
          + "'\(folder.path)/still.png' && mv '\(folder.path)/still.png' '\(path)'") != nil)
    let reading = try reading(path)
    #expect(reading.description.pictureSize == PictureSize(width: 202, height: 102))
    for _ in 0..<3 {
      let next = try #require(try reading.pictures.take())
      let picture = next.value
      // Red in BT.601, limited range.
      #expect(abs(Int(picture.luma[5_000]) - 81) <= 2)
      #expect(abs(Int(picture.chromaV[500]) - 240) <= 2)
    }
    reading.stop()
  }

  @Test func `both sources play in real time and end when they are stopped`() throws {
    let path = try clip("clip.mkv", frames: 15, sound: 0.5, "-c:v ffv1 -c:a flac")
    let file = try MediaFile(path: path, limit: Self.size, framesPerSecond: 30)
    let video = try #require(file.video)
    let audio = try #require(file.audio)
    #expect(video.size == Self.size)
    #expect(video.framesPerSecond == 30)
    let first = try #require(try video.nextFrame())
    let block = try #require(try audio.nextBlock())
    #expect((block.capturedAt - first.capturedAt).magnitude < .milliseconds(500))
    var last = first.capturedAt
    for _ in 0..<10 {
      let frame = try #require(try video.nextFrame())
      #expect(frame.capturedAt > last)
      #expect(frame.capturedAt <= .now)
      last = frame.capturedAt
    }
    let waiting = Background { () -> Bool in
      while (try? audio.nextBlock()) != nil {}
      return true
    }
    video.stop()
    #expect(try video.nextFrame() == nil)
    audio.stop()
    #expect(waiting.value)
  }

  @Test func `only what is wanted is read`() throws {
    let path = try clip("clip.mkv", frames: 3, sound: 0.1, "-c:v ffv1 -c:a flac")
    let mute = try MediaFile(
      path: path, limit: Self.size, framesPerSecond: 30, wantsSound: false)
    #expect(mute.video != nil)
    #expect(mute.audio == nil)
    let blind = try MediaFile(
      path: path, limit: Self.size, framesPerSecond: 30, wantsPicture: false)
    #expect(blind.video == nil)
    #expect(blind.audio != nil)
  }

  @Test func `a file that cannot be played is refused in one sentence`() throws {
    func refusal(_ path: String, wantsPicture: Bool = true) -> MediaError? {
      do {
        _ = try MediaFile(
          path: path, limit: Self.size, framesPerSecond: 30, wantsPicture: wantsPicture)
        return nil
      } catch {
        return error
      }
    }
    let absent = try #require(refusal(folder.path + "/absent.mp4"))
    #expect(absent.kind == .absent)
    #expect(absent.message == "there is no file \(folder.path)/absent.mp4")
    #expect(refusal(folder.path)?.kind == .unsupported)
    #expect(refusal(folder.file("text.mp4", Array("no media".utf8)))?.kind == .malformed)
    #expect(refusal(folder.file("empty.mp4"))?.kind == .malformed)
    let whole = try clip("whole.mp4", frames: 15, sound: 0.5, "-c:v mpeg4 -c:a aac")
    let bytes = contents(of: whole)
    // MP4's index is at the end.
    #expect(
      refusal(folder.file("cut.mp4", Array(bytes.prefix(bytes.count / 2))))?.kind == .malformed)
    let silent = folder.path + "/silent.mkv"
    try #require(output(of: "ffmpeg -v error -i '\(whole)' -an -c copy '\(silent)'") != nil)
    #expect(
      refusal(silent, wantsPicture: false)?.message
        == "\(silent) has no sound that can be read")
  }

  @Test func `a helper that dies ends the sources`() throws {
    let path = try clip("clip.mkv", frames: 15, sound: 0.5, "-c:v ffv1 -c:a flac")
    let reading = try reading(path)
    _ = try reading.pictures.take()
    kill(reading.process, SIGKILL)
    #expect {
      while try reading.pictures.take() != nil {}
    } throws: {
      ($0 as? MediaError)?.kind == .ended
    }
    #expect {
      while try reading.sound.take() != nil {}
    } throws: {
      ($0 as? MediaError)?.message == "p2pcall-media, which read \(path), has ended"
    }
  }
}
