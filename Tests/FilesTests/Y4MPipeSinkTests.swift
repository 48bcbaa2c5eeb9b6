import CLinux
import Fixtures
import Media
import Testing
import Units

@testable import Files

struct Y4MPipeSinkTests {
  private let folder = ScratchDirectory()
  private let half = PictureSize(width: 32, height: 24)

  @Test func `each picture is written once and in order, as ffmpeg confirms`() throws {
    let path = folder.path + "/out.y4m"
    let sink = try Y4MPipeSink(path: path)
    let pattern = PatternPicture(size: PictureSize(width: 160, height: 120))
    let pictures = (0..<8).map { pattern.picture(number: $0, at: .zero + .milliseconds(Int64($0))) }
    for picture in pictures {
      try sink.show(VideoFrame(picture: picture, capturedAt: .zero), of: "a")
    }
    sink.close()
    #expect(sink.lostPictures == 0)
    let written = contents(of: path)
    var expected = Array("YUV4MPEG2 W160 H120 F30:1 Ip A1:1 C420jpeg\n".utf8)
    for picture in pictures { expected += Array("FRAME\n".utf8) + Array(picture.bytes) }
    #expect(written == expected)
    let raw = folder.file("raw", pictures.flatMap { Array($0.bytes) })
    guard
      let judged = output(of: "ffmpeg -v error -i '\(path)' -f framemd5 -"),
      let wanted = output(
        of: "ffmpeg -v error -f rawvideo -pix_fmt yuv420p -s 160x120 -i '\(raw)' -f framemd5 -")
    else {
      print("notice: ffmpeg is absent")
      return
    }
    #expect(lastWords(judged) == lastWords(wanted))
    #expect(lastWords(judged).count == 8)
  }

  @Test func `smaller pictures are scaled up to the announced size`() throws {
    let path = folder.path + "/{peer}.y4m"
    let sink = try Y4MPipeSink(path: path)
    sink.announce(PictureSize(width: 64, height: 48), framesPerSecond: 15, of: "b1")
    try sink.show(flatFrame(50, half), of: "b1")
    try sink.show(flatFrame(60), of: "b1")
    try sink.show(flatFrame(70, half), of: "b1")
    sink.close()
    let header = "YUV4MPEG2 W64 H48 F15:1 Ip A1:1 C420jpeg\n"
    #expect(contents(of: folder.path + "/b1.y4m") == flatStream([50, 60, 70], header: header))
  }

  @Test func `every peer has a stream of its own, with a name that stays in the folder`() throws {
    let sink = try Y4MPipeSink(path: folder.path + "/{peer}.y4m")
    try sink.show(flatFrame(1), of: "one")
    try sink.show(flatFrame(2), of: "../two")
    try sink.show(flatFrame(3), of: "one")
    sink.remove(peer: "one")
    sink.close()
    #expect(contents(of: folder.path + "/___two.y4m") == flatStream([2]))
    // The removed peer's thread writes on by itself.
    let whole = flatStream([1, 3])
    while contents(of: folder.path + "/one.y4m").count < whole.count { usleep(1_000) }
    #expect(contents(of: folder.path + "/one.y4m") == whole)
  }

  @Test func `one path shows the first peer, and when that left the next`() throws {
    let path = folder.path + "/one.y4m"
    let sink = try Y4MPipeSink(path: path)
    try sink.show(flatFrame(1), of: "a")
    try sink.show(flatFrame(9), of: "b")
    sink.remove(peer: "b")
    sink.remove(peer: "a")
    try sink.show(flatFrame(2, half), of: "b")
    try sink.show(flatFrame(3), of: "a")
    sink.close()
    #expect(contents(of: path) == flatStream([1, 2]))
  }

  @Test func `a FIFO's reader may come late, and gets the stream from its first line on`() throws {
    let path = folder.fifo("out")
    let sink = try Y4MPipeSink(path: path)
    for value in UInt8(1)...20 { try sink.show(flatFrame(value), of: "a") }
    let reader = try openReader(path)
    // Whichever picture was the newest when the reader came, the last is among what it gets.
    let all = Background { contents(of: reader) }
    sink.close()
    let read = all.value
    let header = "YUV4MPEG2 W64 H48 F30:1 Ip A1:1 C420jpeg\n"
    #expect(read.starts(with: Array(header.utf8)))
    #expect(read.suffix(4_608).allSatisfy { $0 == 20 })
    #expect((read.count - header.utf8.count) % 4_614 == 0)
  }

  @Test func `a reader that goes away ends the sink, not the process`() throws {
    let path = folder.fifo("out")
    let sink = try Y4MPipeSink(path: path)
    var ended: MediaError?
    try sink.show(flatFrame(1), of: "a")
    let reader = try openReader(path)
    close(reader)
    while ended == nil {
      do { try sink.show(flatFrame(2), of: "a") } catch { ended = error }
      usleep(1_000)
    }
    #expect(ended?.kind == .ended)
    #expect(ended?.message == "the reader of \(path) went away")
  }

  @Test func `a reader that does not read never holds up the call`() throws {
    let path = folder.fifo("out")
    let sink = try Y4MPipeSink(path: path)
    // 40 MB into a pipe of one: `show` would never return if it waited.
    let large = flatFrame(5, PictureSize(width: 640, height: 480))
    try sink.show(large, of: "a")
    let reader = try openReader(path)
    for _ in 0..<90 { try sink.show(large, of: "a") }
    #expect(sink.lostPictures > 50)
    close(reader)
  }

  /// Opens a FIFO for reading and waits until something was written to it.
  private func openReader(_ path: String) throws -> Int32 {
    let number = clinux_open(path, O_RDONLY | O_NONBLOCK, 0)
    var status = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
    try #require(poll(&status, 1, -1) == 1)
    _ = clinux_set_non_blocking(number, 0)
    return number
  }

  @Test func `a path that cannot be written is refused at once`() {
    #expect { _ = try Y4MPipeSink(path: "/nonexistent/out.y4m") } throws: {
      ($0 as? MediaError)?.kind == .absent
    }
  }
}
