package import Call
package import Media
package import Runtime
import Synchronization
import Units

/// Takes pictures from the source and encodes each at once under the newest orders (decision 8): the
/// main rendition, and after it the small one where there is one.
///
/// While the source is off nothing of it is shown or encoded. The orders come from the network
/// thread; reports go to its mailbox, whose rule is to refuse when full: then the frame is lost and
/// the next one is a key frame.
package final class PictureThread: Sendable {
  private let source: DeviceSwitch<any VideoSource>
  private let makeEncoder: @Sendable () throws(MediaError) -> any VideoEncoder
  private let preview: (@Sendable (VideoFrame) -> Void)?
  private let report: @Sendable (ConferenceInput) -> Bool
  private let orders = Mutex(Rendition.allCases.map { _ in StandingOrder() })

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

  package func order(_ rendition: Rendition, _ order: VideoOrder?) {
    orders.withLock { $0[rendition.rawValue].settings = order }
  }
  package func hold(_ rendition: Rendition, _ isHeld: Bool) {
    orders.withLock { $0[rendition.rawValue].isHeld = isHeld }
  }
  package func wantKeyFrame(_ rendition: Rendition) {
    orders.withLock { $0[rendition.rawValue].isKeyFrameWanted = true }
  }

  /// Off closes the camera, on opens it.
  package func turn(on isOn: Bool) { source.turn(on: isOn) }

  package func start() throws(SystemError) -> Thread {
    try Thread.start("picture") { self.run() }
  }

  /// The thread ends soon after, its source released.
  package func stop() { source.stop() }

  private func run() {
    var lost: MediaError?
    var encoders = Rendition.allCases.map { RenditionEncoder($0) }
    while true {
      do {
        guard let open = try source.next() else { return }
        if let lost { _ = report(.deviceReturned(.camera, name: lost.device)) }
        lost = nil
        try take(from: open, with: &encoders)
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
    from source: any VideoSource, with encoders: inout [RenditionEncoder]
  ) throws(MediaError) {
    var known: (PictureSize, Double)?
    while let frame = try source.nextFrame() {
      guard self.source.isOn else { continue }
      let described = (frame.picture.size, source.framesPerSecond)
      if known == nil || known! != described {
        known = described
        _ = report(.pictureSource(described.0, framesPerSecond: described.1))
      }
      preview?(frame)
      for index in encoders.indices {
        let order = orders.withLock { $0[index] }
        guard
          let encoded = try encoders[index].encode(frame, under: order, makeEncoder: makeEncoder)
        else { continue }
        if encoded.isKeyFrame { orders.withLock { $0[index].isKeyFrameWanted = false } }
        if !report(.encodedVideo(encoded)) { wantKeyFrame(encoded.rendition) }
      }
    }
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
