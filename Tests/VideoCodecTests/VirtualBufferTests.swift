import Testing
import Units

@testable import VideoCodec

struct VirtualBufferTests {
  private let rate = Bitrate.kilobits(1_000)
  private let frame = Interval.milliseconds(33)

  private func size(_ share: Double) -> ByteCount { rate.bytes(in: frame * share) }
  private func at(_ milliseconds: Int64) -> Instant { .zero + .milliseconds(milliseconds) }

  @Test func `frames of their share without a gap leave libvpx's buffer alone`() {
    var buffer = VirtualBuffer(rate: rate)
    let told = (0..<300).compactMap { number in
      defer { buffer.end(size(1), lasting: frame) }
      return buffer.begin(capturedAt: at(Int64(number) * 33))
    }
    #expect(told.isEmpty)
  }

  @Test func `what drains while frames are held is given back after a large one`() {
    var buffer = VirtualBuffer(rate: rate)
    #expect(buffer.begin(capturedAt: at(0)) == nil)
    buffer.end(size(4), lasting: frame)
    // Three frames later the four shares that it took have passed.
    let level = buffer.begin(capturedAt: at(132))
    #expect(level == VirtualBuffer.capacity)
  }

  @Test func `a gap of any length never fills it above what it holds`() {
    var buffer = VirtualBuffer(rate: rate)
    _ = buffer.begin(capturedAt: at(0))
    buffer.end(size(5), lasting: frame)
    #expect(buffer.begin(capturedAt: at(3_600_000)) == VirtualBuffer.capacity)
    // A source's clock may go back.
    buffer.end(size(5), lasting: frame)
    #expect(buffer.begin(capturedAt: at(3_000_000)) == VirtualBuffer.capacity - frame * 5)
  }

  @Test func `a debt that no frame was coarse enough to avoid is forgiven`() throws {
    var buffer = VirtualBuffer(rate: rate)
    _ = buffer.begin(capturedAt: at(0))
    // Two seconds' worth, as the first frame after a fall of the rate may be.
    buffer.end(rate.bytes(in: .seconds(2)), lasting: frame)
    _ = buffer.begin(capturedAt: at(33))
    buffer.end(size(1), lasting: frame)
    let told = buffer.begin(capturedAt: at(233))
    let level = try #require(told)
    #expect(level >= .milliseconds(20) && level <= VirtualBuffer.capacity)
  }

  @Test func `after a rise of the rate it lasts as long as before, so libvpx is told`() {
    var buffer = VirtualBuffer(rate: rate)
    _ = buffer.begin(capturedAt: at(0))
    buffer.end(size(4), lasting: frame)
    let before = buffer.level
    buffer.rate = rate * 2.5
    let told = buffer.begin(capturedAt: at(33))
    #expect(told == before + frame)
  }
}
