import Foundation
import Media
import Sound
import Testing

/// With snd-aloop, whose second device records what the first plays.
@Suite(.serialized) struct LoopbackCardTests {
  private func device(_ list: [SoundDevice], _ number: Int) -> String? {
    list.map(\.name).first { $0 == "plughw:CARD=Loopback,DEV=\(number)" }
  }

  @Test func `what the speaker plays comes out of the microphone`() throws {
    guard let output = device(SoundDevices.speakers(), 0),
      let input = device(SoundDevices.microphones(), 1)
    else {
      print("not tested: sound through a loopback card, because there is none here")
      return
    }
    let microphone = try ALSAMicrophone(device: input)
    let speaker = try ALSASpeaker(device: output)
    // A thread of its own: with one processor a task would wait for this test.
    let player = Thread {
      let block = (0..<AudioFormat.blockSamples).map { Int16(8_000 * wave($0)) }
      while !Thread.current.isCancelled {
        do { try block.withUnsafeBufferPointer { try speaker.play($0) } } catch { return }
      }
    }
    player.start()
    var loud = 0
    var pure = 0
    for _ in 0..<200 {
      let block = try #require(try microphone.nextBlock()).samples
      guard block.map({ abs(Int($0)) }).max() ?? 0 > 4_000 else { continue }
      loud += 1
      let crossings = zip(block, block.dropFirst()).count { ($0 < 0) != ($1 < 0) }
      if (9...11).contains(crossings) { pure += 1 }
    }
    player.cancel()
    speaker.stop()
    microphone.stop()
    // A busy machine may lose some; what comes is the tone.
    #expect(loud >= 100)
    #expect(pure * 10 >= loud * 9)
  }

  @Test func `a card that is in use is called so, and free again afterwards`() throws {
    guard let name = device(SoundDevices.microphones(), 1) else {
      print("not tested: a sound card in use, because there is no loopback card here")
      return
    }
    // Both of its substreams.
    let held = try (0..<2).map {
      try ALSAMicrophone(device: "plughw:CARD=Loopback,DEV=1,SUBDEV=\($0)")
    }
    do {
      _ = try ALSAMicrophone(device: name)
      Issue.record("a third had the card")
    } catch {
      #expect(error.kind == .busy)
    }
    for microphone in held {
      microphone.stop()
      #expect(try microphone.nextBlock() == nil)
    }
    let again = try ALSAMicrophone(device: name)
    again.stop()
    withExtendedLifetime(held) {}
  }
}

/// 500 Hz: a block holds five whole turns.
private func wave(_ index: Int) -> Double {
  let turn = Double(index % 96) / 96
  return turn < 0.25 ? turn * 4 : turn < 0.75 ? 2 - turn * 4 : turn * 4 - 4
}
