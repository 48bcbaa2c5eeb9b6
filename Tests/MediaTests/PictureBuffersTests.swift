import Testing

@testable import Media

@Suite struct PictureBuffersTests {
  @Test func `a picture's buffer is used again for the next of its size, and for no other`() {
    let buffers = PictureBuffers()
    let first = buffers.take(600)
    buffers.giveBack(first)
    let other = buffers.take(900)
    let again = buffers.take(600)
    #expect(again.baseAddress == first.baseAddress)
    #expect(other.baseAddress != first.baseAddress)
    #expect(again.count == 600 && other.count == 900)
    for buffer in [other, again] { buffers.giveBack(buffer) }
  }

  @Test func `few are kept, and the oldest go first`() {
    let buffers = PictureBuffers()
    let small = buffers.take(64)
    let rest = (0..<10).map { _ in buffers.take(128) }
    buffers.giveBack(small)
    for buffer in rest { buffers.giveBack(buffer) }
    #expect(buffers.spareCount == PictureBuffers.mostBuffers)
    let large = (0..<2).map { _ in buffers.take(12 << 20) }
    for buffer in large { buffers.giveBack(buffer) }
    #expect(buffers.spareCount == 1)
  }
}
