import CLinux
import Media
import Sound
import Testing
import Units

@Suite struct SoundDeviceTests {
  @Test func `a device that is not there is named together with the remedy`() {
    do {
      _ = try ALSAMicrophone(device: "hw:CARD=nosuchcard")
      Issue.record("a missing device was opened")
    } catch {
      #expect(error.kind == .absent)
      #expect(error.message == "there is no microphone hw:CARD=nosuchcard")
      #expect(error.remedy.contains("p2pcall devices"))
    }
  }

  @Test func `a device that takes everything at once is paced by the clock`() throws {
    let speaker = try ALSASpeaker(device: "null")
    let block = [Int16](repeating: 0, count: AudioFormat.blockSamples)
    let clock = ContinuousClock()
    let taken = try clock.measure {
      for _ in 0..<30 { try block.withUnsafeBufferPointer { try speaker.play($0) } }
    }
    // A lower bound only: a busy machine may take longer, never less.
    #expect(taken >= .milliseconds(250))
    speaker.stop()
  }

  @Test func `stopping ends a microphone's wait`() throws {
    let microphone = try ALSAMicrophone(device: "null")
    microphone.stop()
    #expect(try microphone.nextBlock() == nil)
  }

  @Test func `what is listed can be opened, unless it is in use`() {
    for device in SoundDevices.speakers() where ["pulse", "pipewire"].contains(device.name) {
      #expect(throws: Never.self) { _ = try ALSASpeaker(device: device.name) }
    }
    let isServed = SoundDevices.speakers().contains { ["pulse", "pipewire"].contains($0.name) }
    if !isServed { print("not tested: a listed sound server opens, because none runs here") }
  }

  @Test func `listed devices have names that can be told apart`() {
    for list in [SoundDevices.microphones(), SoundDevices.speakers()] {
      #expect(Set(list.map(\.name)).count == list.count)
      #expect(list.allSatisfy { !$0.name.isEmpty && !$0.description.contains("\n") })
    }
  }
}

@Suite struct SpeakerTests {
  private let block = [Int16](repeating: 7, count: AudioFormat.blockSamples)

  private func play(_ count: Int, on speaker: ALSASpeaker) throws {
    for _ in 0..<count { try block.withUnsafeBufferPointer { try speaker.play($0) } }
  }

  @Test(arguments: [(1_920, 480, 1_920), (16_384, 1_024, 2_528), (2_048, 1_024, 2_528)])
  func `the delay is that of the reserve, however much the device could hold`(
    ring: Int, period: Int, reserve: Int
  ) throws {
    let card = FakeSoundCard(ring: ring, period: period)
    let speaker = try ALSASpeaker(cards: card)
    try play(200, on: speaker)
    #expect(speaker.delay <= .seconds(Double(reserve) / 48_000))
    #expect(card.pcm?.overrunCount == 0)
    // What was played is whole: silence only at the start.
    let sound = try #require(card.pcm).written.drop { $0 == 0 }
    #expect(sound.count == 200 * 480)
    #expect(sound.allSatisfy { $0 == 7 })
  }

  @Test(arguments: [(16_384, 1_024), (2_048, 1_024), (8_192, 2_048)])
  func `a device that asks for several blocks at once gets them one by one`(
    ring: Int, period: Int
  ) throws {
    let card = FakeSoundCard(ring: ring, period: period)
    card.isStepped = true
    let speaker = try ALSASpeaker(cards: card)
    try play(50, on: speaker)
    let pcm = try #require(card.pcm)
    var last = pcm.clock
    var gaps: [Int] = []
    for _ in 0..<300 {
      try play(1, on: speaker)
      gaps.append(pcm.clock - last)
      last = pcm.clock
    }
    // 10 ms each, give or take 2: without spreading it was 0, and then a whole period.
    #expect(gaps.allSatisfy { (384...576).contains($0) }, "\(gaps)")
    #expect(pcm.overrunCount == 0)
    #expect(abs(gaps.reduce(0, +) - 300 * 480) <= period)
  }

  @Test func `every channel gets the sound`() throws {
    let card = FakeSoundCard(channels: 2)
    let speaker = try ALSASpeaker(cards: card)
    try play(3, on: speaker)
    #expect(card.pcm?.written.suffix(3 * 480).allSatisfy { $0 == 7 } == true)
  }

  @Test func `one underrun is survived and costs no delay`() throws {
    let card = FakeSoundCard()
    let speaker = try ALSASpeaker(cards: card)
    try play(20, on: speaker)
    try #require(card.pcm).advance(3_000)
    try play(20, on: speaker)
    #expect(card.pcm?.overrunCount == 1)
    #expect(card.shape.ring == 1_920)
    #expect(card.pcm?.written.suffix(480 * 15).allSatisfy { $0 == 7 } == true)
  }

  @Test func `where a reserve runs dry again and again it grows, up to 160 ms`() throws {
    let card = FakeSoundCard()
    let speaker = try ALSASpeaker(cards: card)
    for _ in 0..<20 {
      try play(20, on: speaker)
      // The thread is late by 80 ms.
      try #require(card.pcm).advance(80 * 48)
    }
    try play(20, on: speaker)
    // It grew until 80 ms were bearable, not further.
    #expect(card.pcm?.overrunCount == 3)
    #expect(card.shape.ring == 4_320)
    for _ in 0..<20 {
      try #require(card.pcm).advance(1_000 * 48)
      try play(40, on: speaker)
    }
    #expect(card.shape.ring == 160 * 48)
  }

  @Test func `a device that grants no larger buffer is used as it is`() throws {
    let card = FakeSoundCard()
    card.largestRing = 1_920
    let speaker = try ALSASpeaker(cards: card)
    for _ in 0..<5 {
      try play(20, on: speaker)
      try #require(card.pcm).advance(60 * 48)
    }
    try play(20, on: speaker)
    #expect(card.pcm?.overrunCount == 5)
    #expect(speaker.delay <= .milliseconds(40))
  }

  @Test func `an unplugged speaker is named`() throws {
    let card = FakeSoundCard()
    card.unplugged = (at: 4_800, code: -ENODEV)
    let speaker = try ALSASpeaker(device: "hw:9", cards: card)
    do {
      try play(50, on: speaker)
      Issue.record("it went on without the device")
    } catch let error as MediaError {
      #expect(error.kind == .ended)
      #expect(error.message == "the speaker hw:9 was unplugged")
    }
    #expect(card.pcm == nil)
  }
}
