package import Call
package import Media
package import Runtime
import Synchronization
import Units

/// Takes pictures from the source and encodes each at once under the newest order (decision 8).
///
/// While the source is off nothing of it is shown or encoded. The orders come from the network
/// thread; reports go to its mailbox, whose rule is to refuse when full: then the frame is lost and
/// the next one is a key frame.
package final class PictureThread: Sendable {
  private let source: DeviceSwitch<any VideoSource>
  private let makeEncoder: @Sendable () throws(MediaError) -> any VideoEncoder
  private let preview: (@Sendable (VideoFrame) -> Void)?
  private let report: @Sendable (ConferenceInput) -> Bool
  private let standing = Mutex(Standing())

  private struct Standing {
    var order: VideoOrder?
    var isKeyFrameWanted = false
    var isHeld = false
  }

  /// `reopen` is there for devices, which are closed while they are off. `preview` gets each
  /// picture of the source, for the self-view; `report` returns false when the network thread's
  /// mailbox is full.
  package init(
    source: any VideoSource,
    reopen: (@Sendable () throws(MediaError) -> any VideoSource)?,
    makeEncoder: @escaping @Sendable () throws(MediaError) -> any VideoEncoder,
    preview: (@Sendable (VideoFrame) -> Void)?,
    report: @escaping @Sendable (ConferenceInput) -> Bool
  ) throws(SystemError) {
    self.source = try DeviceSwitch(source, reopen: reopen) { $0.stop() }
    self.makeEncoder = makeEncoder
    self.preview = preview
    self.report = report
  }

  package func order(_ order: VideoOrder?) { standing.withLock { $0.order = order } }
  package func hold(_ isHeld: Bool) { standing.withLock { $0.isHeld = isHeld } }
  package func wantKeyFrame() { standing.withLock { $0.isKeyFrameWanted = true } }

  /// Off closes the camera, on opens it.
  package func turn(on isOn: Bool) { source.turn(on: isOn) }

  package func start() throws(SystemError) -> Thread {
    try Thread.start("picture") { self.run() }
  }

  /// The thread ends soon after, its source released.
  package func stop() { source.stop() }

  private func run() {
    let encoder: any VideoEncoder
    do { encoder = try makeEncoder() } catch {
      _ = report(.deviceFailed(.camera, error))
      return
    }
    var lost: MediaError?
    while true {
      do {
        guard let open = try source.next() else { return }
        if let lost { _ = report(.deviceReturned(.camera, name: lost.device)) }
        lost = nil
        try take(from: open, with: encoder)
        guard source.ended() else { return }
      } catch {
        let mayComeBack = source.failed()
        _ = report(.deviceFailed(.camera, error))
        lost = error
        guard mayComeBack else { return }
      }
    }
  }

  private func take(
    from source: any VideoSource, with encoder: any VideoEncoder
  ) throws(MediaError) {
    var known: (PictureSize, Double)?
    var pace = FramePace()
    while let frame = try source.nextFrame() {
      guard self.source.isOn else { continue }
      let described = (frame.picture.size, source.framesPerSecond)
      if known == nil || known! != described {
        known = described
        _ = report(.pictureSource(described.0, framesPerSecond: described.1))
      }
      preview?(frame)
      try encode(frame, with: encoder, pace: &pace)
    }
  }

  private func encode(
    _ frame: VideoFrame, with encoder: any VideoEncoder, pace: inout FramePace
  ) throws(MediaError) {
    let (order, forceKeyFrame) = standing.withLock {
      ($0.isHeld ? nil : $0.order, $0.isKeyFrameWanted)
    }
    guard let order, pace.admits(frame, framesPerSecond: order.framesPerSecond) else { return }
    var scaled = frame
    let target = frame.picture.size.shrunk(into: order.size)
    if target != frame.picture.size {
      scaled.picture = PictureScaler.scale(frame.picture, to: target)
    }
    var settings = order
    settings.size = target
    let encoded = try encoder.encode(scaled, settings: settings, forceKeyFrame: forceKeyFrame)
    guard let encoded else { return }
    if encoded.isKeyFrame { standing.withLock { $0.isKeyFrameWanted = false } }
    if !report(.encodedVideo(encoded)) { wantKeyFrame() }
  }
}

/// Lets frames through at no more than a rate, whatever the source's own rate is.
struct FramePace {
  private var next: Instant?

  /// A frame may come up to a quarter of its interval early, since sources jitter.
  mutating func admits(_ frame: VideoFrame, framesPerSecond: Double) -> Bool {
    guard framesPerSecond > 0 else { return true }
    let interval = Interval.seconds(1 / framesPerSecond)
    if let next, frame.capturedAt < next - interval * 0.25 { return false }
    // Anchored to the schedule, not to the frame, unless the source fell behind by a frame.
    let scheduled = (next ?? frame.capturedAt) + interval
    next = max(scheduled, frame.capturedAt + interval * 0.5)
    return true
  }
}
