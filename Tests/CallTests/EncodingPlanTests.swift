import Media
import Sending
import Testing
import Units
import Wire

@testable import Call

@Suite struct EncodingPlanTests {
  private let full = PictureSize(width: 1_280, height: 720)
  private let half = PictureSize(width: 640, height: 360)

  private func advice(_ kilobits: Int64, _ size: PictureSize) -> EncoderAdvice {
    EncoderAdvice(bitrate: .kilobits(kilobits), size: size, framesPerSecond: 30)
  }

  private func main(_ plan: inout EncodingPlan, _ advice: [EncoderAdvice]) -> VideoOrder?? {
    plan.newOrders(main: advice, of: full).first { $0.rendition == .main }?.order
  }

  @Test func `the slowest path that still carries a share decides for all`() {
    var plan = EncodingPlan()
    let order = main(&plan, [advice(2_000, full), advice(900, half), advice(1_500, full)])
    #expect(order == .some(VideoOrder(size: half, framesPerSecond: 30, bitrate: .kilobits(900))))
  }

  @Test func `a path that collapsed does not take the others' picture with it`() {
    var plan = EncodingPlan()
    let order = main(&plan, [advice(2_000, full), advice(60, half)])
    #expect(
      order == .some(VideoOrder(size: full, framesPerSecond: 30, bitrate: .kilobits(2_000))))
  }

  @Test func `small changes of the rate give no new order`() {
    var plan = EncodingPlan()
    _ = main(&plan, [advice(1_000, full)])
    let small = main(&plan, [advice(1_020, full)])
    let large = main(&plan, [advice(1_100, full)])
    #expect(small == nil)
    #expect(large?.map(\.bitrate) == .some(.kilobits(1_100)))
  }

  @Test func `without anybody to send to encoding stops, once`() {
    var plan = EncodingPlan()
    let before = main(&plan, [])
    _ = main(&plan, [advice(1_000, full)])
    let stop = main(&plan, [])
    let after = main(&plan, [])
    #expect(before == nil)
    #expect(stop == .some(nil))
    #expect(after == nil)
  }

  @Test func `the small rendition has its slowest peer's rate and a quarter of the pixels`() {
    var plan = EncodingPlan()
    _ = main(&plan, [advice(4_000, full)])
    let orders = plan.newOrders(
      main: [advice(4_000, full)], small: [advice(900, full), advice(120, full)], of: full)
    #expect(orders.map(\.rendition) == [.main, .small])
    #expect(orders.last?.order?.size == half)
    #expect(orders.last?.order?.bitrate == .kilobits(120))
    // The two share a frame's time by their work.
    #expect(orders.map { $0.order?.timeShare } == [0.8, 0.2])
    let less = plan.newOrders(main: [advice(4_000, full)], of: full)
    #expect(less.map(\.rendition) == [.main, .small])
    #expect(less.map { $0.order?.timeShare } == [1, nil])
  }
}

@Suite struct ChatLogTests {
  @Test func `lines are numbered from one and blank ones are none`() {
    var chat = ChatLog()
    let numbers = ["hello", "  \t", "again"].map { line in
      chat.compose(line)?.number
    }
    #expect(numbers == [1, nil, 2])
  }

  @Test func `an over-long line is cut at a character's border`() {
    var chat = ChatLog()
    let text = String(repeating: "ü", count: 3_000)
    let message = chat.compose(text)
    #expect(message?.text.utf8.count == 4_000)
    #expect(message?.text.allSatisfy { $0 == "ü" } == true)
  }

  @Test func `what waits is bounded and taken once, in order`() {
    var chat = ChatLog()
    var taken = 0
    for _ in 0..<300 {
      if let message = chat.compose("line"), chat.hold(message) { taken += 1 }
    }
    #expect(taken == 256)
    let waiting = chat.takeWaiting()
    let left = chat.takeWaiting()
    #expect(waiting.map(\.number) == Array(1...256))
    #expect(left.isEmpty)
  }
}
