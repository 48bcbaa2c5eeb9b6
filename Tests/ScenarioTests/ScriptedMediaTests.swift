import Media
import Simulation
import Testing
import Units

@Suite struct ScriptedMediaTests {
  private let settings = VideoEncoderSettings(
    size: PictureSize(width: 1_280, height: 720), framesPerSecond: 30,
    bitrate: .kilobits(1_500))

  private func pictures(_ count: Int, layers: Int = 1, keyFrameAt: Int = -1) -> [EncodedVideoFrame]
  {
    var camera = ScriptedCamera(camera: 1, random: SeededRandom(seed: 1))
    camera.layers = layers
    return (0..<count).map {
      camera.picture(at: .zero, settings: settings, forceKeyFrame: $0 == keyFrameAt)
    }
  }

  @Test func `a picture comes back as it was made and no byte of it may change`() {
    let picture = ScriptedPicture(
      camera: 3, number: 70_000, reference: 69_999, size: settings.size, isDiscardable: true)
    let bytes = picture.encoded(count: 300)
    #expect(bytes.count == 300)
    #expect(ScriptedPicture(decoding: bytes) == picture)
    for index in bytes.indices {
      var altered = bytes
      altered[index] ^= 0x80
      #expect(ScriptedPicture(decoding: altered) == nil)
    }
  }

  @Test func `a key frame carries its size where VP8 has it`() {
    let bytes = pictures(1)[0].bytes
    #expect(bytes[0] & 1 == 0)
    #expect(Array(bytes[3..<6]) == [0x9D, 0x01, 0x2A])
    #expect(Int(bytes[6]) | Int(bytes[7] & 0x3F) << 8 == 1_280)
    #expect(Int(bytes[8]) | Int(bytes[9] & 0x3F) << 8 == 720)
  }

  @Test func `the camera keeps its rate and its key frames are large`() {
    let made = pictures(600, keyFrameAt: 300)
    let bytes = made.reduce(0) { $0 + $1.bytes.count }
    let rate = Bitrate(of: ByteCount(bytes), in: .seconds(20))
    #expect(abs(rate.kilobitsPerSecond - 1_500) < 75)
    #expect(made[300].isKeyFrame && made.count { $0.isKeyFrame } == 2)
    #expect(made[300].bytes.count > 3 * 6_250)
  }

  @Test func `a screen shows a chain and refuses gaps, repetitions and broken bytes`() {
    let made = pictures(10, keyFrameAt: 6)
    var screen = ScriptedScreen()
    for frame in made[0..<3] {
      guard case .shown = screen.decode(frame.bytes) else {
        Issue.record("a chain was refused")
        return
      }
    }
    guard case .undecodable(let late, has: 3) = screen.decode(made[4].bytes) else {
      Issue.record("a gap was not seen")
      return
    }
    #expect(late.number == 5)
    guard case .repeated(_, shown: 3) = screen.decode(made[2].bytes) else {
      Issue.record("a repetition was not seen")
      return
    }
    var broken = made[3].bytes
    broken[100] ^= 1
    #expect(screen.decode(broken) == .broken)
    guard case .shown = screen.decode(made[6].bytes), case .shown = screen.decode(made[7].bytes)
    else {
      Issue.record("a key frame did not restart the chain")
      return
    }
    #expect(screen.shownCount == 5)
  }

  @Test func `pictures of the upper layer can be left out`() {
    let made = pictures(41, layers: 2)
    var screen = ScriptedScreen()
    let base = made.filter { !$0.isDiscardable }
    #expect(base.count == 21)
    for frame in base {
      guard case .shown = screen.decode(frame.bytes) else {
        Issue.record("the base layer has a gap")
        return
      }
    }
  }

  @Test func `sound comes back with its number and the one before it from redundancy`() throws {
    var microphone = ScriptedMicrophone(microphone: 2)
    let packets = (0..<6).map { number in
      microphone.packet(
        at: .zero, bitrate: .kilobits(32), of: .milliseconds(20),
        expectedLossPercent: number < 5 ? 10 : 5)
    }
    #expect(packets[4].bytes.count == 80)
    let decoder = ScriptedAudioDecoder()
    #expect(try decoder.decode(packets[4].bytes) == [Int16](repeating: 5, count: 960))
    #expect(try decoder.recover(from: packets[4].bytes, count: 960)[0] == 4)
    // Where Opus would have put none in, the one before is concealed.
    #expect(try decoder.recover(from: packets[5].bytes, count: 960)[0] == 0)
    #expect(try decoder.conceal(count: 3) == [0, 0, 0])
    #expect(throws: MediaError.self) { try decoder.decode([1, 2, 3]) }
  }
}
