import Call
import Media
import Sending
import Testing
import Units

@Suite struct AudioPlanTests {
  private let full = PictureSize(width: 1_280, height: 720)

  private func pictures(_ kilobits: Int64...) -> [EncoderAdvice] {
    kilobits.map { EncoderAdvice(bitrate: .kilobits($0), size: full, framesPerSecond: 30) }
  }
  private func sound(_ loss: Int, _ copies: Int, _ room: Int64 = 200) -> AudioAdvice {
    AudioAdvice(lossPercent: loss, copies: copies, room: .kilobits(room))
  }

  @Test func `sound goes in short packets while every path carries them and loses little`() {
    var plan = AudioPlan()
    let cases: [([Int64], Int, Int64)] = [
      ([300], 0, 20), ([500], 0, 20), ([700], 0, 10), ([500], 0, 10), ([900, 300], 0, 20),
      ([900, 600], 1, 10), ([900], 3, 10), ([900], 4, 20), ([900], 2, 20), ([900], 0, 10),
      ([], 0, 20),
    ]
    for (rates, loss, milliseconds) in cases {
      let advice = rates.map {
        EncoderAdvice(bitrate: .kilobits($0), size: full, framesPerSecond: 30)
      }
      let order = plan.order(for: [sound(loss, 0)], pictures: advice)
      #expect(order.packet == .milliseconds(milliseconds), "\(rates) with \(loss) % of loss")
    }
  }

  @Test(arguments: 1...3)
  func `with copies all of it stays below 96 kbit/s`(copies: Int) {
    var plan = AudioPlan()
    let order = plan.order(for: [sound(10, copies)], pictures: pictures(2_000))
    #expect(order.packet == .milliseconds(20))
    #expect(SoundShare.cost(order.packet, order.bitrate, copies: copies) <= .kilobits(96))
    #expect(order.bitrate >= Bitrate(bitsPerSecond: 13_600))
    // The copies give exactly what was lost: Opus need not spend a third of its bits on it.
    #expect(order.expectedLossPercent == 0)
  }

  @Test func `sound never takes more than its share, down to the lowest target`() {
    for target in stride(from: 1_200, through: 80, by: -5) as StrideThrough<Int64> {
      for copies in 0...3 {
        var plan = AudioPlan()
        let share = SoundShare(of: .kilobits(target)).rate
        let advice = AudioAdvice(lossPercent: copies * 5, copies: copies, room: share)
        let order = plan.order(for: [advice], pictures: pictures(max(40, target / 2)))
        let cost = SoundShare.cost(order.packet, order.bitrate, copies: 0)
        #expect(cost <= share, "\(target) kbit/s: \(order)")
        #expect(cost < .kilobits(target) * 0.5)
      }
    }
  }

  @Test func `the narrower the path the fewer bits, then the longer packets`() {
    var rates: [Bitrate] = []
    var lengths: [Interval] = []
    for room in [90, 62, 54, 40, 30, 25] as [Int64] {
      var plan = AudioPlan()
      let order = plan.order(for: [sound(0, 0, room)], pictures: pictures(100))
      rates.append(order.bitrate)
      lengths.append(order.packet)
    }
    #expect(rates == [32, 24, 16, 16, 16, 12].map(Bitrate.kilobits))
    #expect(lengths == [20, 20, 20, 40, 60, 60].map(Interval.milliseconds))
  }

  @Test func `where no copy fits, Opus carries what it can`() {
    var plan = AudioPlan()
    let order = plan.order(for: [sound(3, 1, 66)], pictures: pictures(100))
    #expect(order.expectedLossPercent == 10)
    #expect(order.bitrate >= .kilobits(20), "below, libopus gives no redundancy")
    #expect(order.packet == .milliseconds(20))
  }

  @Test func `where much is lost on a narrow path one copy matters more than short packets`() {
    for (room, milliseconds) in [(70, 20), (60, 40), (43, 40), (37, 60)] as [(Int64, Int64)] {
      var plan = AudioPlan()
      let order = plan.order(for: [sound(20, 3, room)], pictures: pictures(50))
      #expect(order.packet == .milliseconds(milliseconds), "\(room) kbit/s")
      #expect(SoundShare.cost(order.packet, order.bitrate, copies: 1) <= .kilobits(room))
    }
  }

  @Test func `a room that swings does not swing the order`() {
    var plan = AudioPlan()
    var orders: [AudioOrder] = []
    for round in 0..<100 {
      let order = plan.order(
        for: [sound(0, 0, round % 2 == 0 ? 64 : 69)], pictures: pictures(300))
      if orders.last != order { orders.append(order) }
    }
    #expect(orders.count == 1)
  }

  @Test func `the narrowest room and the largest loss of all decide`() {
    var plan = AudioPlan()
    let order = plan.order(
      for: [sound(0, 0), sound(10, 3), sound(0, 1, 130)], pictures: pictures(2_000, 1_000))
    #expect(order.bitrate == Bitrate(bitsPerSecond: 13_600))
    #expect(order.packet == .milliseconds(20))
  }

  @Test func `with several people packets are never long, however narrow one of the paths is`() {
    for room in [25, 30, 43, 60] as [Int64] {
      for copies in [0, 3] {
        var plan = AudioPlan()
        let order = plan.order(
          for: [sound(0, 0), sound(copies * 5, copies, room)], pictures: pictures(2_000, 50))
        #expect(order.packet == .milliseconds(20), "\(room) kbit/s, \(copies) copies")
        #expect(order.bitrate <= .kilobits(24))
      }
    }
  }
}
