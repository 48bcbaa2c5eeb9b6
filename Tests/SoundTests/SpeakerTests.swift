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

  @Test func `listed devices have names that can be told apart`() {
    for list in [SoundDevices.microphones(), SoundDevices.speakers()] {
      #expect(Set(list.map(\.name)).count == list.count)
      #expect(list.allSatisfy { !$0.name.isEmpty && !$0.description.contains("\n") })
    }
  }
}
