import CLinux
import Camera
import Checks
import Media
import Runtime
import Sound
import Units

/// Opens what a call would open by itself, each on a thread of its own: a driver that hangs keeps
/// nobody waiting.
struct DeviceTrials {
  private let answers: OrderedMailbox<DeviceFinding>
  private static let kinds: [DeviceFinding.Kind] = [.camera, .microphone, .speaker]
  /// Cameras take some pictures to find their exposure.
  private static let exposureTime = Interval.milliseconds(600)
  /// Of 10 ms each; the first ones may hold what a card makes when it is switched on.
  private static let blocks = 50
  private static let skippedBlocks = 10
  private static let playedBlocks = 10

  init() throws(SystemError) {
    answers = OrderedMailbox(capacity: Self.kinds.count, wakeUp: try WakeUp())
    for kind in Self.kinds {
      let thread = try Thread.start(kind.rawValue) { [answers] in
        answers.post(DeviceFinding(kind, Self.outcome(of: kind)))
      }
      thread.detach()
    }
  }

  /// What is known by then, in the order in which it is told; `nil` when a signal came.
  func findings(until end: Instant, unless signals: Signals) -> [DeviceFinding]? {
    var found: [DeviceFinding] = []
    while true {
      found += answers.takeAll()
      if signals.next() != nil { return nil }
      if found.count == Self.kinds.count || Clock.now >= end { break }
      answers.wakeUp.wait(min(end - Clock.now, .milliseconds(100)))
    }
    return Self.kinds.map { kind in
      found.first { $0.kind == kind } ?? DeviceFinding(kind, .silent)
    }
  }

  private static func outcome(of kind: DeviceFinding.Kind) -> DeviceFinding.Outcome {
    do throws(MediaError) {
      switch kind {
      case .camera: return try look()
      case .microphone: return try listen()
      case .speaker: return try play()
      }
    } catch {
      // Nothing was asked for by name, so that no name is missing.
      guard error.kind != .absent else {
        return .failed(
          "this computer has no \(kind.rawValue)", remedy: "plug one in; p2pcall devices lists all")
      }
      return .failed(error.message, remedy: error.remedy)
    }
  }

  private static func look() throws(MediaError) -> DeviceFinding.Outcome {
    let wanted = PictureSize(width: 640, height: 480)
    let camera = try V4L2Camera(device: nil, wanted: wanted, framesPerSecond: 30)
    defer { camera.stop() }
    let end = Clock.now + exposureTime
    var picture: Picture?
    repeat {
      guard let frame = try camera.nextFrame() else { break }
      picture = frame.picture
    } while Clock.now < end
    guard let picture else { return .silent }
    let luma = picture.luma
    let sum = luma.reduce(0) { $0 + Int($1) }
    return .picture(
      width: picture.size.width, height: picture.size.height,
      brightness: sum / max(1, luma.count))
  }

  private static func listen() throws(MediaError) -> DeviceFinding.Outcome {
    let microphone = try ALSAMicrophone()
    defer { microphone.stop() }
    var peak = 0
    for number in 0..<blocks {
      guard let block = try microphone.nextBlock() else { return .silent }
      guard number >= skippedBlocks else { continue }
      for sample in block.samples { peak = max(peak, Int(sample.magnitude)) }
    }
    return .heard(peak: Double(peak) / 32_768)
  }

  private static func play() throws(MediaError) -> DeviceFinding.Outcome {
    let speaker = try ALSASpeaker()
    defer { speaker.stop() }
    let silence = [Int16](repeating: 0, count: AudioFormat.blockSamples)
    for _ in 0..<playedBlocks {
      try silence.withUnsafeBufferPointer { block throws(MediaError) in try speaker.play(block) }
    }
    return .played
  }
}
