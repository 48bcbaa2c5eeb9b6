import Sending
import Units

/// Pictures and sound across the bottleneck, with what is measured of them.
final class MediaFlow {
  let pair: MediaPair
  /// Capture to decoded picture.
  private(set) var delays = WaitHistogram()
  private(set) var pictures: [(capturedAt: Instant, decodedAt: Instant)] = []
  /// Of the sound, when the microphone was switched off.
  private(set) var soundFigures: ViewingFigures?
  private let world: World
  private let flow: ScenarioFlow
  private var isPaused = false
  private var worst: Interval?

  static let framesPerSecond = 30.0

  init(
    _ world: World, network: SimulatedNetwork, flow: ScenarioFlow, limit: Bitrate,
    from: AccessLine, to: AccessLine, oldest: Interval, pictures real: RealPictures? = nil,
    findings: Findings
  ) {
    self.world = world
    self.flow = flow
    // Lip sync on a bad line is a figure here; it has a checker of its own elsewhere.
    var film: RealFilm?
    if let real {
      do { film = try RealFilm(real, findings: findings) } catch {
        findings.report("codec", "no codec: \(error)")
      }
    }
    pair = MediaPair(
      world, network: network, from: from, to: to, framesPerSecond: Self.framesPerSecond,
      limit: limit, skewLimit: .seconds(60), oldest: oldest, film: film,
      findings: findings)
    let wantsVideo = pair.studio.wantsVideo
    pair.studio.wantsVideo = { [unowned self] in !isPaused && wantsVideo($0) }
    pair.viewer.onDecoded = { [unowned self] in
      delays.add($1 - $0)
      pictures.append(($0, $1))
      worst = max(worst ?? .zero, $1 - $0)
    }
    for pause in flow.pauses {
      world.schedule(at: pause.lowerBound) { [unowned self] in isPaused = true }
      world.schedule(at: pause.upperBound) { [unowned self] in
        isPaused = false
        pair.viewer.pausePictures()
      }
    }
    world.schedule(at: flow.end) { [unowned self] in
      pair.studio.close()
      soundFigures = pair.viewer.figures
    }
  }

  /// The longest delay of a picture since the last call; `nil` without a picture.
  func takeWorstDelay() -> Interval? {
    defer { worst = nil }
    return worst
  }

  /// Pictures that the camera had while it was not paused.
  var offered: Int {
    let pauses = flow.pauses.reduce(Interval.zero) { $0 + ($1.upperBound - $1.lowerBound) }
    return Int(((flow.end - flow.start) - pauses).seconds * Self.framesPerSecond)
  }

  /// Freezes, with the one that never ended.
  var freezes: (count: Int, longest: Interval) {
    let figures = pair.viewer.figures
    guard let last = figures.lastShownAt else { return (1, flow.end - flow.start) }
    let rest = flow.end - last
    let isFrozen = rest > .milliseconds(150)
    return (figures.freezes + (isFrozen ? 1 : 0), max(figures.longestGap, rest))
  }
}
