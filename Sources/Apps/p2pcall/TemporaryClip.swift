import Media

final class MediaFileSource {
  enum Wants { case both, pictures, sound }
  var video: (any VideoSource)?
  var audio: (any AudioSource)?
  init(path: String, wants: Wants, fitting: PictureSize, framesPerSecond: Double) throws(MediaError)
  {
    throw MediaError(.unsupported, "no files yet", remedy: "wait")
  }
}
