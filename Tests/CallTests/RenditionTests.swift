import Media
import Testing
import Units
import Wire

@testable import Call

@Suite struct RenditionChoiceTests {
  private let start = Instant(nanoseconds: 1_000_000_000)

  private func session(_ number: Int) -> SessionID {
    SessionID(bytes: [UInt8](repeating: UInt8(number), count: 16))!
  }

  private func peers(_ kilobits: [Int64]) -> [RenditionChoice.Peer] {
    kilobits.enumerated().map {
      RenditionChoice.Peer(session: session($0), bitrate: .kilobits($1))
    }
  }

  /// Who get the small one after these rates have lasted for `duration`, told each 100 ms.
  private func settle(
    _ choice: inout RenditionChoice, _ kilobits: [Int64], from: inout Instant,
    for duration: Interval = .seconds(5)
  ) -> [Int] {
    let end = from + duration
    while from < end {
      choice.update(peers(kilobits), at: from)
      from = from + .milliseconds(100)
    }
    return kilobits.indices.filter { choice.small.contains(session($0)) }
  }

  @Test(
    arguments: [
      ([2_000], []), ([2_000, 1_900, 1_200], []), ([2_000, 600], [1]), ([300, 2_000, 2_500], [0]),
      // To let the third decide for the first two would cost more than it brings the third.
      ([4_000, 4_000, 1_500, 300], [2, 3]), ([4_000, 3_000, 3_000, 300], [3]),
      ([4_000, 900, 800, 700], [1, 2, 3]),
    ] as [([Int64], [Int])])
  func `each gets the rendition that serves them all best`(rates: [Int64], small: [Int]) {
    var choice = RenditionChoice()
    var now = start
    #expect(settle(&choice, rates, from: &now) == small)
  }

  @Test func `a path has half a second to show what it carries`() {
    var choice = RenditionChoice()
    var now = start
    #expect(settle(&choice, [4_000, 1_200], from: &now, for: .milliseconds(400)) == [])
    #expect(settle(&choice, [4_000, 3_500], from: &now, for: .milliseconds(200)) == [])
    #expect(settle(&choice, [4_000, 1_200], from: &now, for: .milliseconds(400)) == [])
    #expect(settle(&choice, [4_000, 1_200], from: &now, for: .milliseconds(300)) == [1])
  }

  @Test func `a rate that sways does not make peers swing between renditions`() {
    var choice = RenditionChoice()
    var now = start
    #expect(settle(&choice, [4_000, 1_900], from: &now) == [1])
    var changes = 0
    var last = choice.small
    for step in 0..<600 {
      let rate: Int64 = step % 20 < 10 ? 1_700 : 2_600
      choice.update(peers([4_000, rate]), at: now)
      now = now + .milliseconds(100)
      if choice.small != last { changes += 1 }
      last = choice.small
    }
    #expect(changes == 0)
    #expect(settle(&choice, [4_000, 3_000], from: &now, for: .milliseconds(2_500)) == [1])
    #expect(settle(&choice, [4_000, 3_000], from: &now, for: .seconds(1)) == [])
  }

  @Test func `who is left when the others have gone gets the main one`() {
    var choice = RenditionChoice()
    var now = start
    #expect(settle(&choice, [4_000, 500], from: &now) == [1])
    choice.update([RenditionChoice.Peer(session: session(1), bitrate: .kilobits(500))], at: now)
    #expect(choice.small.isEmpty)
    #expect(!choice.isUndecided)
  }
}

@Suite struct SharedKeyFramesTests {
  private let start = Instant(nanoseconds: 1_000_000_000)

  @Test func `what several get is not made anew for one of them again and again`() {
    var keyFrames = SharedKeyFrames()
    var made = 0
    var now = start
    for step in 0..<100 {
      if step % 2 == 0, keyFrames.ask(isShared: true, at: now) || keyFrames.isDue(at: now) {
        keyFrames.noteOrdered(at: now)
        made += 1
      }
      now = now + .milliseconds(50)
    }
    #expect(made == 5)
  }

  @Test func `who asks in between gets it when it is time, unless one came by itself`() {
    var keyFrames = SharedKeyFrames()
    keyFrames.noteOrdered(at: start)
    let isNow = keyFrames.ask(isShared: true, at: start + .milliseconds(300))
    #expect(!isNow)
    #expect(keyFrames.dueAt == start + .milliseconds(1_000))
    keyFrames.noteOrdered(at: start + .milliseconds(700))
    #expect(keyFrames.dueAt == nil)
    let isAlone = keyFrames.ask(isShared: false, at: start + .milliseconds(750))
    #expect(isAlone)
  }
}
