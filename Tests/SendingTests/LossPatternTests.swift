import Testing

@testable import Sending

@Suite struct LossPatternTests {
  private func lossy(_ share: Int) -> LossPattern {
    var pattern = LossPattern()
    for _ in 0..<60 { pattern.count(20, lost: share, runs: share) }
    return pattern
  }

  @Test func `random losses are believed as long as they come now and then`() {
    var pattern = lossy(2)
    let before = pattern.ratio
    #expect((0.09...0.11).contains(before))
    for _ in 0..<5 { pattern.count(20, lost: 0, runs: 0) }
    #expect(pattern.ratio > before * 0.8)
  }

  @Test func `a path that stops losing is not taken for a lossy one for long`() {
    var pattern = lossy(6)
    #expect(pattern.ratio > 0.25)
    for _ in 0..<20 { pattern.count(20, lost: 0, runs: 0) }
    #expect(pattern.ratio < 0.06)
  }
}
