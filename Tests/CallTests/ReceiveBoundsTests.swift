import Media
import Testing
import Units

@testable import Call

/// How small a picture is asked for that is shown small, and when.
@Suite struct ShownPartTests {
  private let start = Instant(nanoseconds: 1_000_000_000)
  private let full = PictureSize(width: 1_280, height: 720)

  private func place(_ width: Int, _ height: Int) -> PictureSize {
    PictureSize(width: width, height: height)
  }

  @Test(
    arguments: [
      ((1_280, 720), 1), ((1_920, 1_080), 1), ((1_000, 562), 0.75), ((670, 378), 0.5),
      ((640, 2_000), 0.5), ((2_000, 340), 0.5), ((300, 200), 0.25), ((160, 90), 0.125),
      ((0, 0), 0.125),
    ] as [((Int, Int), Double)])
  func `the first place is answered at once, by the least step that fills it`(
    shown: (Int, Int), part: Double
  ) {
    var asked = ShownPart()
    #expect(asked.part == nil)
    asked.show(full, in: place(shown.0, shown.1), at: start)
    #expect(asked.part == part)
    #expect(asked.dueAt == nil)
  }

  @Test func `less is asked for when the place has been small for a second and a half`() {
    var asked = ShownPart()
    asked.show(full, in: full, at: start)
    asked.show(full, in: place(320, 180), at: start)
    #expect(asked.part == 1)
    #expect(asked.dueAt == start + .milliseconds(1_500))
    asked.settle(at: start + .milliseconds(1_499))
    #expect(asked.part == 1)
    asked.settle(at: start + .milliseconds(1_500))
    #expect(asked.part == 0.25)
    #expect(asked.dueAt == nil)
  }

  @Test func `more is asked for at once, and no oftener than every half second`() {
    var asked = ShownPart()
    asked.show(full, in: place(0, 0), at: start)
    asked.show(full, in: place(320, 180), at: start)
    #expect(asked.part == 0.25)
    asked.show(full, in: place(640, 360), at: start + .milliseconds(100))
    #expect(asked.part == 0.25)
    asked.show(full, in: full, at: start + .milliseconds(200))
    #expect(asked.dueAt == start + .milliseconds(500))
    asked.settle(at: start + .milliseconds(500))
    #expect(asked.part == 1)
  }

  @Test func `a window that is dragged smaller asks once, when it stays`() {
    var asked = ShownPart()
    asked.show(full, in: full, at: start)
    var changes = 0
    var now = start
    for frame in 0...180 {
      now = start + .milliseconds(16) * Double(frame)
      let before = asked.part
      asked.show(full, in: place(1_280 - 6 * frame, 720 - 3 * frame), at: now)
      asked.settle(at: now)
      if asked.part != before { changes += 1 }
    }
    #expect(changes == 0)
    asked.settle(at: now + .seconds(2))
    #expect(asked.part == 0.25)
  }

  @Test func `a place that sways about a step asks for nothing`() {
    var asked = ShownPart()
    asked.show(full, in: place(650, 366), at: start)
    #expect(asked.part == 0.5)
    for turn in 0..<400 {
      let now = start + .milliseconds(50 * Int64(turn))
      asked.show(full, in: turn % 40 < 20 ? place(670, 376) : place(315, 177), at: now)
      asked.settle(at: now)
      #expect(asked.part == 0.5)
    }
  }

  @Test func `a picture that becomes larger needs another part of the same place`() {
    var asked = ShownPart()
    asked.show(PictureSize(width: 320, height: 180), in: place(320, 180), at: start)
    #expect(asked.part == 1)
    asked.show(full, in: place(320, 180), at: start)
    asked.settle(at: start + .seconds(2))
    #expect(asked.part == 0.25)
  }
}

@Suite struct AskedBoundsTests {
  private let start = Instant(nanoseconds: 1_000_000_000)

  private func bounds(_ width: Int) -> ReceiveBounds {
    ReceiveBounds(size: PictureSize(width: width, height: 90))
  }

  @Test func `one who asks now and then gets it at once`() {
    var asked = AskedBounds(at: start)
    for turn in 0..<20 {
      let now = start + .seconds(Double(3 * turn))
      asked.ask(bounds(turn % 2 == 0 ? 160 : 320))
      let isTaken = asked.settle(at: now)
      #expect(isTaken)
      #expect(asked.dueAt == nil)
    }
  }

  @Test func `one who asks a hundred times a second gets a change every two, and the newest`() {
    var asked = AskedBounds(at: start)
    var changes = 0
    for turn in 0..<1_000 {
      let now = start + .milliseconds(10 * Int64(turn))
      asked.ask(bounds(160 + 2 * (turn % 100)))
      if asked.settle(at: now) { changes += 1 }
      #expect((asked.dueAt ?? .distantFuture) > now)
    }
    #expect((7...9).contains(changes), "\(changes)")
    asked.ask(bounds(500))
    let due = asked.dueAt ?? start
    let isTaken = asked.settle(at: due)
    #expect(isTaken)
    #expect(asked.bounds == bounds(500))
  }

  @Test func `what was taken back before its time changes nothing`() {
    var asked = AskedBounds(at: start)
    for width in [160, 320, 160, 320] {
      asked.ask(bounds(width))
      _ = asked.settle(at: start)
    }
    asked.ask(bounds(640))
    asked.ask(bounds(320))
    #expect(asked.dueAt == nil)
    let isTaken = asked.settle(at: start + .seconds(9))
    #expect(!isTaken)
  }
}
