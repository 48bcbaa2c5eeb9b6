import CFFmpeg
import Media

/// Plays a clip over and over, as fast as it is taken: pictures and sound in the order of their times. The shorter of the
/// two is padded at each loop, with its last picture or with silence, so they stay in step.
struct ClipLoop {
  private let request: ClipRequest
  private let output: RecordWriter
  /// µs of all loops before this one.
  private var offset: Int64 = 0
  private var lastPicture: [UInt8]?

  init(_ request: ClipRequest, _ output: RecordWriter) {
    self.request = request
    self.output = output
  }

  mutating func run() throws(MediaError) -> Never {
    var isFirst = true
    while true {
      let clip = try open()
      if isFirst { describe(clip) }
      isFirst = false
      try play(clip)
    }
  }

  private struct Clip {
    var file: ClipFile
    var pictures: ClipPictures?
    var sound: ClipSound?
  }

  private func open() throws(MediaError) -> Clip {
    let file = try ClipFile(request.path)
    var clip = Clip(file: file)
    if request.wantsPicture, let stream = file.stream(AVMEDIA_TYPE_VIDEO),
      let decoder = ClipDecoder(stream, of: file)
    {
      clip.pictures = try ClipPictures(
        decoder, limit: request.limit, framesPerSecond: request.framesPerSecond)
    }
    if request.wantsSound, let stream = file.stream(AVMEDIA_TYPE_AUDIO),
      let decoder = ClipDecoder(stream, of: file)
    {
      clip.sound = ClipSound(decoder)
    }
    guard clip.pictures != nil || clip.sound != nil else {
      let wanted =
        request.wantsPicture ? (request.wantsSound ? "pictures or sound" : "pictures") : "sound"
      throw MediaError(
        .unsupported, "\(request.path) has no \(wanted) that can be read",
        remedy: "name another file")
    }
    return clip
  }

  private func describe(_ clip: Clip) {
    let description = ClipDescription(
      pictureSize: clip.pictures?.size, framesPerSecond: clip.pictures?.framesPerSecond ?? 1,
      hasSound: clip.sound != nil)
    output.write(.description, at: 0, description.bytes)
  }

  /// Once from start to end.
  private mutating func play(_ clip: Clip) throws(MediaError) {
    var picture = clip.pictures?.next()
    var block = clip.sound?.next()
    guard picture != nil || block != nil else {
      throw MediaError(
        .malformed, "nothing in \(request.path) can be decoded",
        remedy: "try whether ffplay can play it")
    }
    // µs up to which each has been given.
    var pictureEnd: Int64 = 0
    var soundEnd: Int64 = 0
    let interval = clip.pictures?.interval ?? 0
    while picture != nil || block != nil {
      if let found = picture, block == nil || found.time <= soundEnd {
        padSound(clip, &soundEnd, to: found.time)
        show(found.bytes, at: found.time)
        pictureEnd = found.time + interval
        picture = clip.pictures?.next()
      } else if let samples = block {
        if picture == nil { padPictures(clip, &pictureEnd, to: soundEnd) }
        play(samples, at: soundEnd)
        soundEnd += 10_000
        block = clip.sound?.next()
      }
    }
    // Whole blocks of sound; a picture's end may be rounded down.
    let end = max(soundEnd, (pictureEnd + 5_000) / 10_000 * 10_000)
    padPictures(clip, &pictureEnd, to: end)
    padSound(clip, &soundEnd, to: end)
    offset += end
    if clip.sound == nil, pictureEnd <= interval { hold(interval) }
  }

  /// A still picture need not be decoded again and again.
  private mutating func hold(_ interval: Int64) -> Never {
    while true {
      show(lastPicture ?? [], at: 0)
      offset += interval
    }
  }

  private mutating func show(_ bytes: [UInt8], at time: Int64) {
    lastPicture = bytes
    output.write(.picture, at: offset + time, bytes)
  }

  private func play(_ samples: [Int16], at time: Int64) {
    output.write(
      .sound, at: offset + time,
      samples.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] })
  }

  /// Shows the last picture again, at the clip's rate, so that newcomers see it too.
  private mutating func padPictures(_ clip: Clip, _ reached: inout Int64, to end: Int64) {
    guard let pictures = clip.pictures, let lastPicture else { return }
    // A loop's end a moment after a picture is no room for another.
    while reached + pictures.interval / 2 < end {
      show(lastPicture, at: reached)
      reached += pictures.interval
    }
  }

  private func padSound(_ clip: Clip, _ reached: inout Int64, to end: Int64) {
    guard clip.sound != nil else { return }
    while reached + 10_000 <= end {
      play([Int16](repeating: 0, count: AudioFormat.blockSamples), at: reached)
      reached += 10_000
    }
  }
}
