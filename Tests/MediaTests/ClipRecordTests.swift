import Media
import Testing
import Units

struct ClipRecordTests {
  @Test func `headers keep their fields`() {
    let header = ClipRecord.Header(kind: .picture, length: 460_800, microseconds: 1_234_567_890)
    #expect(
      header.bytes == [2, 0x00, 0x07, 0x08, 0x00, 0, 0, 0, 0, 0x49, 0x96, 0x02, 0xD2])
    #expect(ClipRecord.Header(bytes: header.bytes) == header)
  }

  @Test(arguments: [
    ClipDescription(
      pictureSize: PictureSize(width: 640, height: 480), framesPerSecond: 29.97, hasSound: true),
    ClipDescription(pictureSize: nil, framesPerSecond: 1, hasSound: true),
    ClipDescription(
      pictureSize: PictureSize(width: 4_096, height: 16), framesPerSecond: 240, hasSound: false),
  ])
  func `descriptions keep their fields`(_ description: ClipDescription) {
    #expect(description.bytes.count == ClipDescription.size)
    #expect(ClipDescription(bytes: description.bytes) == description)
  }

  @Test(arguments: [
    MediaError(.absent, "there is no café.mp4", remedy: "check the name"),
    MediaError(.malformed, "it is cut", remedy: "make it again"),
  ])
  func `problems keep their sentences`(_ error: MediaError) {
    #expect(MediaError(record: error.record) == error)
  }

  @Test func `terminal controls in a problem are left out`() {
    let error = MediaError(.failed, "a\u{1B}[31mb", remedy: "c\u{7}\u{7F}")
    #expect(MediaError(record: error.record)?.description == "a[31mb; c")
  }

  @Test func `lengths beyond what a kind can have are refused`() {
    for (kind, limit) in [
      (ClipRecord.Kind.description, 9), (.sound, 960), (.problem, 4_096),
      (.picture, 4_096 * 4_096 * 3 / 2),
    ] {
      func header(_ length: Int) -> [UInt8] {
        ClipRecord.Header(kind: kind, length: length, microseconds: 0).bytes
      }
      #expect(ClipRecord.Header(bytes: header(limit)) != nil)
      #expect(ClipRecord.Header(bytes: header(limit + 1)) == nil)
    }
  }

  @Test func `garbage is refused, never a trap`() {
    var random = SeededRandom(seed: 9)
    var refused = 0
    for _ in 0..<10_000 {
      let bytes = random.bytes(Int.random(in: 0...20, using: &random))
      if ClipRecord.Header(bytes: bytes) == nil { refused += 1 }
      _ = ClipDescription(bytes: bytes)
      _ = MediaError(record: bytes)
    }
    #expect(refused > 9_000)
  }
}
