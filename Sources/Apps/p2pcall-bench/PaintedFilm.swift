import Judging
import Media
import Runtime
import Units

/// A film whose pictures carry numbers and whose sound carries chirps: the clock painted in it is
/// the film's own time, from 1 s on.
struct PaintedFilm {
  let path: String
  let frames: Int
  let seconds: Int
  private static let framesPerSecond = 30

  static func make(
    clip: String?, size: PictureSize, seconds: Int, in workspace: Workspace
  ) throws(BenchError) -> PaintedFilm {
    guard let ffmpeg = programInPath("ffmpeg") else {
      throw BenchError("ffmpeg is not installed; run tools/setup --tests")
    }
    let book =
      if let clip { try FrameBook.clip(clip, size: size) } else {
        FrameBook.pattern(size, seconds: seconds)
      }
    let frames = seconds * framesPerSecond
    var video = Array("YUV4MPEG2 W\(size.width) H\(size.height) F30:1 Ip A1:1 C420\n".utf8)
    for number in 0..<frames {
      let clock = PaintedClock(number: UInt32(number), at: instant(of: number))
      video += Array("FRAME\n".utf8) + Array(clock.stamp(onto: book.picture(UInt32(number))).bytes)
    }
    var speech = [Int16](repeating: 0, count: seconds * 48_000)
    if let clip {
      let sound = try clipSound(clip)
      for index in speech.indices { speech[index] = sound[index % sound.count] }
    }
    ToneSignal(voice: 0).addChirps(to: &speech, from: instant(of: 0))
    let pictures = "\(workspace.path)/film.y4m"
    let sound = "\(workspace.path)/film.pcm"
    let film = "\(workspace.path)/film.mkv"
    try writeBytes(pictures, video)
    try writeBytes(sound, speech.withUnsafeBytes { Array($0) })
    do {
      let process = try ChildProcess(
        ffmpeg,
        [
          "-nostdin", "-v", "error", "-y", "-i", pictures, "-f", "s16le", "-ar", "48000", "-ac",
          "1", "-i", sound, "-c:v", "libx264", "-preset", "ultrafast", "-qp", "10", "-c:a", "flac",
          film,
        ], output: .nothing)
      guard process.wait() == .code(0) else { throw BenchError("ffmpeg cannot make \(film)") }
    } catch { throw BenchError("\(error)") }
    return PaintedFilm(path: film, frames: frames, seconds: seconds)
  }

  private static func instant(of frame: Int) -> Instant {
    .zero + .seconds(1) + .seconds(Double(frame) / Double(framesPerSecond))
  }

  /// The film is looped, so numbers return; it is judged by steps from picture to picture.
  func criteria(seen: [SeenFrame], sound: SoundLog, size: PictureSize) -> [Criterion] {
    let numbers = seen.compactMap(\.clock).map { Int($0.number) }
    let steps = zip(numbers, numbers.dropFirst()).map { ($1 - $0 + frames) % frames }
    let missing = steps.reduce(0) { $0 + max(0, $1 - 1) }
    let begun = seen.first?.at ?? .zero
    let length = ((seen.last?.at ?? .zero) - begun).seconds
    return [
      .atLeast("seconds seen", 8, "s", seen: length),
      .atLeast(
        "pictures of the film delivered", 98, "%",
        seen: steps.isEmpty
          ? nil : 100 * Double(steps.count) / Double(steps.count + missing)),
      .equal("pictures shown twice", 0, seen: steps.count { $0 == 0 }),
      .equal("pictures of another size", 0, seen: seen.count { $0.size != size }),
      .atMost(
        "pictures unreadable", 1, "%",
        seen: 100 * Double(seen.count - numbers.count) / Double(max(1, seen.count))),
      .atMost(
        "rate against real time", 2, "%",
        seen: length > 0
          ? (100 * (Double(steps.count + missing) / 30 / length - 1)).magnitude : nil),
    ] + lipSync(seen, sound)
  }

  /// Each chirp heard against the picture of the same moment of the film.
  private func lipSync(_ seen: [SeenFrame], _ sound: SoundLog) -> [Criterion] {
    let marks = ChirpDetector().marks(in: sound.samples)
    var skews: [Double] = []
    var expected = 0
    var heard = 0
    for frame in seen {
      // The first picture of a second of the film.
      guard let clock = frame.clock, clock.number % 30 == 0 else { continue }
      guard let last = seen.last?.at, frame.at + .seconds(1) < last else { continue }
      expected += 1
      let shape = Chirp.shape(second: Int64(clock.instant.seconds.rounded()), voice: 0)
      let times = marks.filter { $0.shape == shape }.compactMap { sound.instant(of: $0.start) }
      let skew = times.map { ($0 - frame.at).milliseconds }.min { $0.magnitude < $1.magnitude }
      if let skew, skew.magnitude < 400 {
        heard += 1
        skews.append(skew.magnitude)
      }
    }
    return [
      .atLeast(
        "chirps heard of \(expected)", 98, "%",
        seen: expected == 0 ? nil : 100 * Double(heard) / Double(expected)),
      .atMost("sound against picture, p95", 40, "ms", seen: percentile(95, of: skews)),
    ]
  }
}

extension Instant {
  fileprivate var seconds: Double { (self - Instant.zero).seconds }
}
