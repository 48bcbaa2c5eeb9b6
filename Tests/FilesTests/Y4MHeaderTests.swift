import Media
import Testing

@testable import Files

struct Y4MHeaderTests {
  @Test func `what is written is read again`() throws {
    for rate in [30, 25, 29.97, 7.5] {
      let header = Y4MHeader(width: 642, height: 480, framesPerSecond: rate)
      #expect(header.line.hasSuffix("\n"))
      #expect(try Y4MHeader(line: String(header.line.dropLast())) == header)
    }
  }

  @Test func `headers of other programs are understood`() throws {
    let mjpegtools = try Y4MHeader(
      line: "YUV4MPEG2 W720 H480 F30000:1001 Ib A10:11 C420mpeg2 XYSCSS=420MPEG2")
    #expect(mjpegtools.pictureBytes == 720 * 480 * 3 / 2)
    #expect(abs(mjpegtools.framesPerSecond - 29.97) < 0.001)
    let short = try Y4MHeader(line: "YUV4MPEG2 H16 W16")
    #expect(short.framesPerSecond == 30)
    #expect(!short.isFullRange)
    let full = try Y4MHeader(line: "YUV4MPEG2 W175 H143 F0:0 C420paldv XCOLORRANGE=FULL")
    #expect(full.isFullRange)
    #expect(full.pictureSize == PictureSize(width: 176, height: 144))
    #expect(full.pictureBytes == 175 * 143 + 2 * 88 * 72)
  }

  /// A picture of another size would trap.
  @Test(arguments: [(16, 16), (17, 4_095), (4_095, 17), (4_096, 4_096)])
  func `all sides that are taken make a picture`(width: Int, height: Int) throws {
    #expect(try Y4MHeader(line: "YUV4MPEG2 W\(width) H\(height)").pictureSize.isValid)
  }

  @Test(arguments: [
    ("", Y4MHeader.Problem.notY4M), ("RIFF", .notY4M), ("YUV4MPEG2", .noSize),
    ("YUV4MPEG2 W640", .noSize), ("YUV4MPEG2 Wx H480", .noSize),
    ("YUV4MPEG2 W640 H99999999999999999999", .noSize),
    ("YUV4MPEG2 W640 H-480", .size(640, -480)), ("YUV4MPEG2 W8 H8", .size(8, 8)),
    ("YUV4MPEG2 W1 H1", .size(1, 1)), ("YUV4MPEG2 W640 H15", .size(640, 15)),
    ("YUV4MPEG2 W4097 H480", .size(4_097, 480)), ("YUV4MPEG2 W640 H480 F30", .rate("30")),
    ("YUV4MPEG2 W640 H480 F-1:1", .rate("-1:1")),
    ("YUV4MPEG2 W640 H480 C422", .colour("422")), ("YUV4MPEG2 W640 H480 C444", .colour("444")),
    ("YUV4MPEG2 W640 H480 C420p10", .colour("420p10")),
    ("YUV4MPEG2 W640 H480 Cmono", .colour("mono")),
  ])
  func `others are refused with the reason`(_ line: String, _ problem: Y4MHeader.Problem) {
    #expect(throws: problem) { _ = try Y4MHeader(line: line) }
    let error = problem.error(of: "clip.y4m")
    #expect(error.message.hasPrefix("clip.y4m "))
    #expect(!error.remedy.isEmpty)
  }
}
