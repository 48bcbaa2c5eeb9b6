import Testing
import Units
import Wire

@Suite struct FrameTests {
  @Test func `a frame is its kind and its body`() {
    checkMessage(Frame(.rtp, [9, 8]), golden: [3, 9, 8], openFrom: 1)
  }

  @Test func `kinds have the numbers of the wire format`() {
    #expect(
      FrameKind.allCases.map(\.rawValue) == [1, 2, 3, 4, 5, 6, 7, 8])
    #expect((try? Frame(decoding: [0])) == nil)
    #expect((try? Frame(decoding: [9])) == nil)
  }

  @Test func `a stream's frame carries its length`() {
    #expect(Frame(.ping, [1, 2, 3, 4]).streamEncoded == [0, 0, 5, 5, 1, 2, 3, 4])
  }

  @Test func `frames come out whole however the stream is cut`() throws {
    let frames = [Frame(.rtp, [1]), Frame(.rtcp, []), Frame(.goodbye, [0])]
    let stream = frames.flatMap(\.streamEncoded)
    for size in 1...stream.count {
      var splitter = FrameSplitter(limit: 16)
      var found: [[UInt8]] = []
      for start in stride(from: 0, to: stream.count, by: size) {
        splitter.push(Array(stream[start..<min(start + size, stream.count)]))
        while let frame = try splitter.next() { found.append(frame) }
      }
      #expect(found == frames.map(\.encoded))
    }
  }

  @Test func `a frame above the limit is refused before its bytes are there`() {
    var splitter = FrameSplitter(limit: 4_096)
    splitter.push([0, 0x10, 1])
    #expect(throws: WireError.tooLong(field: "frame length", found: 4_097, limit: 4_096)) {
      try splitter.next()
    }
  }

  @Test func `an empty frame is refused`() {
    var splitter = FrameSplitter(limit: 4_096)
    splitter.push([0, 0, 0])
    #expect(throws: WireError.invalid(field: "frame length", found: 0)) { try splitter.next() }
  }
}
