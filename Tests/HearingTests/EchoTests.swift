import Media
import Testing
import Units

@testable import Hearing

/// Someone far speaks from 3 s on; someone here joins in at 10 s. Sound devices open first, as in a
/// call, where people are still to be found.
private struct Talk {
  var far: [Float]
  var near: [Float]
  /// Two seconds to learn the room, then the far voice alone, then both.
  static let alone = (from: 5.0, to: 10.0)
  static let both = (from: 10.5, to: 15.0)

  init(far: [Float], near: [Float]) {
    self.far = [Float](repeating: 0, count: 3 * 48_000) + far.prefix(12 * 48_000)
    self.near = [Float](repeating: 0, count: 10 * 48_000) + near.prefix(5 * 48_000)
  }

  static let madeUp = Talk(
    far: voice(seconds: 12, pitch: 110, seed: 5), near: voice(seconds: 5, pitch: 190, seed: 6))
}

/// What the echo was turned down by, as a ratio of powers, over a stretch of seconds.
private func reduction(_ recording: Room.Recording, _ stretch: (from: Double, to: Double)) -> Float
{
  power(recording.microphone, stretch.from, stretch.to)
    / power(recording.sent, stretch.from, stretch.to)
}

/// `least` as a ratio of powers.
private func expectBearable(_ talk: Talk, in room: Room, least: Float) {
  let recording = room.call(far: talk.far, near: talk.near)
  let reduction = reduction(recording, Talk.alone)
  #expect(reduction >= least, "the echo is turned down by a power ratio of \(reduction)")
  let kept = likeness(of: recording.sent, to: talk.near, Talk.both.from, Talk.both.to)
  #expect(kept.correlation >= 0.9)
  // ±3 dB.
  #expect((0.5...2).contains(kept.level), "near speech comes out at \(kept.level)")
  #expect(recording.sent.allSatisfy { abs($0) < 0.999 })
}

private let rooms = [
  Room(delay: .milliseconds(20), reverberation: 0.15),
  Room(delay: .milliseconds(120), reverberation: 0.3),
  Room(delay: .milliseconds(60), reverberation: 0.3, drift: 100e-6),
  Room(delay: .milliseconds(90), reverberation: 0.3, drift: -100e-6, seed: 2),
]

@Suite struct EchoTests {
  @Test(arguments: rooms[1...2])
  func `two seconds in, echo is 20 dB down even of hisses, and who speaks here is heard`(
    room: Room
  ) {
    // While the clocks' rates are still being found, high frequencies are cancelled less.
    expectBearable(.madeUp, in: room, least: 100)
  }

  @Test(
    .enabled(if: Recorded.far != nil, "the recorded speech or ffmpeg is absent"),
    arguments: rooms + [Room(delay: .milliseconds(40), reverberation: 0.2, echo: 6, drift: 50e-6)])
  func `two seconds in, echo of recorded speech is 30 dB down`(room: Room) throws {
    let far = try #require(Recorded.far)
    let near = voice(seconds: 5, pitch: 190, seed: 6)
    expectBearable(Talk(far: far + far, near: near), in: room, least: 1_000)
  }

  @Test func `a run can be repeated sample by sample`() {
    let room = Room(reverberation: 0.15, drift: 30e-6)
    let far = Array(Talk.madeUp.far.dropFirst(2 * 48_000).prefix(3 * 48_000))
    #expect(room.call(far: far, near: []).sent == room.call(far: far, near: []).sent)
  }

  @Test func `silence stays silent`() {
    let room = Room(noise: 0)
    let nothing = [Float](repeating: 0, count: 2 * 48_000)
    #expect(room.call(far: nothing, near: nothing).sent.allSatisfy { $0 == 0 })
  }

  @Test func `someone loud beside a loud echo does not clip`() {
    let talk = Talk.madeUp
    let loud = Room(reverberation: 0.15, echo: 6)
    let near = talk.near.map { max(-1, min(1, 6 * $0)) }
    let sent = loud.call(far: talk.far, near: near).sent
    #expect(sent.allSatisfy { abs($0) < 0.96 })
  }
}

@Suite struct NoiseTests {
  private let quiet = [Float](repeating: 0, count: 10 * 48_000)

  @Test func `steady noise is turned down, with and without a loudspeaker`() {
    for cancels in [true, false] {
      let recording = Room(noise: 0.005).call(far: quiet, near: quiet, cancels: cancels)
      // 8 dB.
      #expect(power(recording.sent, 4, 10) * 6.3 < power(recording.microphone, 4, 10))
      // Not to nothing: a line that is dead between words sounds broken.
      #expect(power(recording.sent, 4, 10) * 1_000 > power(recording.microphone, 4, 10))
    }
  }

  @Test func `speech stays speech beside noise`() {
    let near = voice(seconds: 10, pitch: 150, seed: 8)
    let recording = Room(noise: 0.003).call(far: quiet, near: near, cancels: false)
    let kept = likeness(of: recording.sent, to: near, 3, 10)
    #expect(kept.correlation >= 0.97)
    #expect((0.5...2).contains(kept.level))
  }
}

@Suite struct LevelTests {
  /// Mean power where it sounds, of the last seconds.
  private func level(_ sound: [Float], _ from: Double, _ to: Double) -> Float {
    let loud = sound[Int(from * 48_000)..<Int(to * 48_000)].filter { abs($0) > 0.01 }
    return loud.reduce(0) { $0 + $1 * $1 } / Float(max(1, loud.count))
  }

  @Test(arguments: [0.35, 1, 3] as [Float])
  func `quiet and loud speakers come out alike`(loudness: Float) {
    let near = voice(seconds: 16, pitch: 150, seed: 9).map { max(-1, min(1, loudness * $0)) }
    let quiet = [Float](repeating: 0, count: near.count)
    let sent = Room(noise: 0.0003).call(far: quiet, near: near, cancels: false).sent
    let ratio = level(sent, 10, 15.9) / GainControl.target
    // ±4 dB: words are not all of one loudness.
    #expect((0.4...2.5).contains(ratio), "\(ratio) of the target")
    #expect(sent.allSatisfy { abs($0) < 0.96 })
  }

  @Test func `noise is never lifted, not even after a whisper raised the gain`() {
    let whisper = voice(seconds: 8, pitch: 150, seed: 10).map { 0.25 * $0 }
    let near = whisper + [Float](repeating: 0, count: 6 * 48_000)
    let quiet = [Float](repeating: 0, count: near.count)
    let recording = Room(noise: 0.001).call(far: quiet, near: near, cancels: false)
    #expect(power(recording.sent, 10, 14) < power(recording.microphone, 10, 14))
  }
}
