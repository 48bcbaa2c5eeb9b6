import Testing
import Units

@testable import Sending

@Suite struct FairShareTests {
  private func share(queue: Int64, isShared: Bool = true, target: Int64) -> FairShare {
    var share = FairShare()
    share.update(queue: .milliseconds(queue), isShared: isShared, target: .kilobits(target))
    return share
  }

  @Test func `the same queue means the same rate for all, and half of it for twice the queue`() {
    let first = share(queue: 10, target: 300)
    let second = share(queue: 10, target: 3_000)
    #expect(first.rate == second.rate)
    #expect(first.rate == .kilobits(1_360))
    #expect(share(queue: 20, target: 300).rate == .kilobits(680))
  }

  @Test func `who sends less than the share pushes, who sends more does not`() {
    #expect(share(queue: 10, target: 300).isPushing)
    #expect(!share(queue: 10, target: 3_000).isPushing)
  }

  @Test func `a push asks for most of what is sent where little is`() {
    #expect(FairShare.step(beyond: .kilobits(100)) == .kilobits(22))
    #expect(FairShare.step(beyond: .kilobits(600)) == .kilobits(32))
    #expect(FairShare.step(beyond: .kilobits(2_500)) == .kilobits(70))
  }

  @Test func `without a queue that lasts, or without others, nobody pushes or yields`() {
    #expect(share(queue: 1, target: 300).rate == nil)
    #expect(share(queue: 10, isShared: false, target: 300).rate == nil)
    #expect(!share(queue: 10, isShared: false, target: 300).isPushing)
  }
}
