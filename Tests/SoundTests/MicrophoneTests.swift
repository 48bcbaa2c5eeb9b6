import CLinux
import Media
import Sound
import Testing

@Suite struct MicrophoneTests {
  private func blocks(_ count: Int, of microphone: ALSAMicrophone) throws -> [[Int16]] {
    try (0..<count).map { _ in try #require(try microphone.nextBlock()).samples }
  }

  @Test func `a device that calls itself ready too early is not asked over and over`() throws {
    let card = FakeSoundCard(ring: 3_840)
    // As PulseAudio did: four frames more than a block, which then kept the device ready.
    card.fragment = 484
    let microphone = try ALSAMicrophone(cards: card)
    let sound = try blocks(1_000, of: microphone).flatMap { $0 }
    #expect(sound == (0..<480_000).map { Int16(truncatingIfNeeded: $0) })
    let pcm = try #require(card.pcm)
    #expect(pcm.callCount <= 1_000 * 16)
    #expect(pcm.overrunCount == 0)
  }

  @Test func `after an overrun no block mixes what was before it with what comes after`() throws {
    let card = FakeSoundCard(ring: 3_840)
    card.fragment = 100
    let microphone = try ALSAMicrophone(cards: card)
    _ = try blocks(3, of: microphone)
    try #require(card.pcm).advance(5_000)
    for block in try blocks(3, of: microphone) {
      #expect(zip(block, block.dropFirst()).allSatisfy { $1 == $0 &+ 1 })
    }
    #expect(card.pcm?.overrunCount == 1)
  }

  @Test func `several channels become their mean`() throws {
    let card = FakeSoundCard(channels: 2, ring: 3_840)
    let microphone = try ALSAMicrophone(cards: card)
    #expect(try blocks(1, of: microphone).first == (0..<480).map { Int16($0) })
  }

  @Test func `an unplugged microphone is named and set free`() throws {
    let card = FakeSoundCard(ring: 3_840)
    card.unplugged = (at: 1_000, code: -ENODEV)
    let microphone = try ALSAMicrophone(device: "hw:9", cards: card)
    _ = try blocks(2, of: microphone)
    do {
      _ = try blocks(2, of: microphone)
      Issue.record("it went on without the device")
    } catch let error as MediaError {
      #expect(error.kind == .ended)
      #expect(error.message == "the microphone hw:9 was unplugged")
      #expect(error.remedy.contains("/unmute"))
      #expect(error.device == "hw:9")
    }
    #expect(card.pcm == nil)
  }

  @Test func `a microphone whose clock stands still has failed`() throws {
    let card = FakeSoundCard(ring: 3_840)
    card.silentFrom = 960
    let microphone = try ALSAMicrophone(device: "hw:9", cards: card)
    _ = try blocks(2, of: microphone)
    do {
      _ = try blocks(1, of: microphone)
      Issue.record("there was sound")
    } catch let error as MediaError {
      #expect(error.message == "the microphone hw:9 gives no sound")
    }
  }

  @Test func `a stopped microphone is set free`() throws {
    let card = FakeSoundCard(ring: 3_840)
    let microphone = try ALSAMicrophone(cards: card)
    microphone.stop()
    #expect(try microphone.nextBlock() == nil)
    #expect(card.pcm == nil)
  }

  @Test(arguments: [
    (PCMRefusal.code(-EBUSY), MediaError.Kind.busy, "another program uses the microphone hw:9"),
    (.code(-EACCES), .denied, "the microphone hw:9 may not be opened"),
    (.code(-ENOENT), .absent, "there is no microphone hw:9"),
    (
      .otherShape("44100 Hz"), .unsupported,
      "the microphone hw:9 has 44100 Hz, not 48000 Hz in 16 bit"
    ),
  ])
  func `why a microphone cannot be had is one sentence`(
    refusal: PCMRefusal, kind: MediaError.Kind, message: String
  ) {
    let card = FakeSoundCard()
    card.refusal = refusal
    do {
      _ = try ALSAMicrophone(device: "hw:9", cards: card)
      Issue.record("it was opened")
    } catch {
      #expect(error.kind == kind)
      #expect(error.message == message)
      #expect(!error.remedy.isEmpty)
    }
  }
}
