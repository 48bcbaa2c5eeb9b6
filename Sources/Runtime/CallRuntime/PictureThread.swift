package import Call
package import Media
package import Runtime
import Units

/// Takes pictures from the source, shows each to its owner and gives it to the encoding thread.
/// While the source is off nothing of it is shown or encoded.
package final class PictureThread: Sendable {
  private let source: DeviceSwitch<any VideoSource>
  private let encoding: EncodeThread
  private let preview: (@Sendable (VideoFrame) -> Void)?
  private let report: @Sendable (ConferenceInput) -> Bool

  /// `reopen` is there for devices, which are closed while they are off. `largest` is the largest
  /// picture that is sent. `preview` gets each picture of the source, for the self-view; `report`
  /// returns false when the network thread's mailbox is full.
  package init(
    source: any VideoSource,
    reopen: (@Sendable () throws(MediaError) -> any VideoSource)?,
    largest: PictureSize,
    makeEncoder: @escaping @Sendable () throws(MediaError) -> any VideoEncoder,
    preview: (@Sendable (VideoFrame) -> Void)?,
    report: @escaping @Sendable (ConferenceInput) -> Bool
  ) throws(SystemError) {
    let source = try DeviceSwitch(source, reopen: reopen) { $0.stop() }
    self.source = source
    self.preview = preview
    self.report = report
    encoding = try EncodeThread(largest: largest, makeEncoder: makeEncoder, report: report) {
      error in
      source.turn(on: false)
      _ = report(.deviceFailed(.camera, error))
    }
  }

  package func expectOrder() { encoding.expectOrder() }
  package func order(_ rendition: Rendition, _ order: VideoOrder?) {
    encoding.order(rendition, order)
  }
  package func hold(_ rendition: Rendition, _ isHeld: Bool) { encoding.hold(rendition, isHeld) }
  package func wantKeyFrame(_ rendition: Rendition) { encoding.wantKeyFrame(rendition) }

  /// Off closes the camera, on opens it.
  package func turn(on isOn: Bool) {
    encoding.turn(on: isOn)
    source.turn(on: isOn)
  }

  package func start() throws(SystemError) -> [Thread] {
    [
      try Thread.start("picture") { self.run() },
      try encoding.start(),
    ]
  }

  /// The threads end soon after, the source released.
  package func stop() {
    source.stop()
    encoding.stop()
  }

  private func run() {
    var lost: MediaError?
    while true {
      do {
        guard let open = try source.next() else { return }
        if let lost { _ = report(.deviceReturned(.camera, name: lost.device)) }
        lost = nil
        try take(from: open)
        guard source.ended() else { return }
      } catch {
        let mayComeBack = source.failed()
        _ = report(.deviceFailed(.camera, error))
        lost = error
        guard mayComeBack else { return }
      }
    }
  }

  private func take(from source: any VideoSource) throws(MediaError) {
    var known: (PictureSize, Double)?
    while let frame = try source.nextFrame() {
      guard self.source.isOn else { continue }
      let described = (frame.picture.size, source.framesPerSecond)
      if known == nil || known! != described {
        known = described
        _ = report(.pictureSource(described.0, framesPerSecond: described.1))
      }
      encoding.take(frame, framesPerSecond: described.1)
      preview?(frame)
    }
  }
}
