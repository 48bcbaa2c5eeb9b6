/// Devices: a call goes on without any of them, so none of this is worse than a warning.
extension CheckVerdict {
  /// Limited range: 16 is black (BT.601). A dark room is brighter than a lens with its cover on.
  private static let darkest = 24
  /// −70 dB of full scale: quieter than the noise of any microphone that is on.
  private static let quietest = 0.000_316

  init(_ finding: DeviceFinding) {
    let item = Item(rawValue: finding.kind.rawValue) ?? .camera
    let (without, option) =
      switch finding.kind {
      case .camera: ("the others don't see you", "--video camera:DEVICE")
      case .microphone: ("the others don't hear you", "--audio mic:DEVICE")
      case .speaker: ("you hear nothing", "--play speaker:DEVICE")
      }
    switch finding.outcome {
    case .picture(let width, let height, let brightness):
      let details: [Detail] = [
        .number("width", Double(width)), .number("height", Double(height)),
        .number("brightness", Double(brightness)),
      ]
      let size = "\(width)x\(height)"
      if brightness < Self.darkest {
        self.init(
          item, .warning, "it gives pictures of \(size), and they are black",
          remedy: "open its cover, or choose another with \(option)", details: details)
      } else {
        self.init(item, .ok, "it gives pictures of \(size)", details: details)
      }
    case .heard(let peak):
      // Three digits behind the point say enough of a level.
      let details: [Detail] = [.number("peak", peak)]
      if peak < Self.quietest {
        self.init(
          item, .warning, "it works and gives only silence",
          remedy: "switch it on or turn it up (alsamixer, the system's sound settings), or choose "
            + "another with \(option)", details: details)
      } else {
        let percent = max(1, Int((min(1, peak) * 100).rounded()))
        self.init(
          item, .ok, "it hears something; loudest \(percent) % of full scale", details: details)
      }
    case .played: self.init(item, .ok, "it takes sound")
    case .failed(let message, let remedy):
      self.init(item, .warning, "\(message): \(without)", remedy: remedy)
    case .silent:
      self.init(
        item, .warning, "it neither works nor fails: \(without)",
        remedy: "unplug it and plug it in again, or choose another with \(option)")
    }
  }
}
