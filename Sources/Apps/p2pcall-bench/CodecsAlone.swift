import AudioCodec
import Judging
import Media
import Runtime
import Units
import VideoCodec

/// One end of a call with nothing but its codecs: they encode what it would send and decode as much, at
/// the call's pace. Only the time that they themselves take is counted.
///
/// Sound has a thread of its own, as in a call, that codes a packet every 10 ms: of several in a row
/// only the first would find the caches cold, and a packet then costs 80 µs instead of 140.
struct CodecsAlone: Sendable {
  /// Sent over and over; painted before the clock starts, which makes no difference to painting each
  /// when it is its turn.
  let frames: [VideoFrame]
  let framesPerSecond: Int
  /// Of each second.
  let efforts: [EncodingEffort]
  /// Whose chirps it speaks.
  let voice: Int
  let seconds: Double

  /// Seconds of processor time.
  func run() throws(BenchError) -> Double {
    do {
      let heard = Guarded<Result<Double, MediaError>>(.success(0))
      let sound = try Thread.start("sound", priority: .realTime) {
        let result = Result { () throws(MediaError) in try soundAlone() }
        heard.change { $0 = result }
      }
      let seen = Result { () throws(MediaError) in try picturesAlone() }
      sound.join()
      return try seen.get() + heard.value.get()
    } catch { throw BenchError("the codecs alone failed: \(error)") }
  }

  private func picturesAlone() throws(MediaError) -> Double {
    let encoder = VP8Encoder(processors: 2)
    let decoder = try VP8Decoder()
    var spent: Int64 = 0
    let start = Clock.now
    for number in 0..<Int(seconds * Double(framesPerSecond)) {
      let effort = efforts[min(number / framesPerSecond, efforts.count - 1)]
      let settings = VideoEncoderSettings(
        size: frames[0].picture.size, framesPerSecond: Double(framesPerSecond),
        bitrate: effort.rate)
      var frame = frames[number % frames.count]
      frame.capturedAt = start + .seconds(Double(number) / Double(framesPerSecond))
      sleep(until: frame.capturedAt)
      let begun = PacketPath.processorTime()
      if number % framesPerSecond == 0 { try encoder.hold(cpuUsed: effort.cpuUsed) }
      let encoded = try encoder.encode(frame, settings: settings, forceKeyFrame: number == 0)
      if let encoded { _ = try decoder.decode(encoded.bytes) }
      spent += PacketPath.processorTime() - begun
    }
    return Double(spent) / 1e9
  }

  /// Silence with chirps, as the judge gives it to a call.
  private func soundAlone() throws(MediaError) -> Double {
    let encoder = try OpusSpeechEncoder()
    let decoder = try OpusSpeechDecoder()
    let tone = ToneSignal(voice: voice)
    var spent: Int64 = 0
    let start = Clock.now
    for number in 0..<Int(seconds / AudioFormat.blockDuration.seconds) {
      let begins = AudioFormat.blockDuration * Double(number)
      var samples = [Int16](repeating: 0, count: AudioFormat.blockSamples)
      tone.addChirps(to: &samples, from: .zero + begins)
      sleep(until: start + begins)
      let begun = PacketPath.processorTime()
      _ = try decoder.decode(try encoder.encode(samples))
      spent += PacketPath.processorTime() - begun
    }
    return Double(spent) / 1e9
  }
}
