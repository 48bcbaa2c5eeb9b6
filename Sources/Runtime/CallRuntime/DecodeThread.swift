import Call
import Media
import Receiving
import Runtime
import Synchronization
import Units
import Wire

/// Decodes one peer's pictures and hands each to the sink at its time.
///
/// Frames come in order through a mailbox that refuses when full: a refused frame is told like
/// one that did not decode, so that the conference asks for a key frame.
final class DecodeThread: Sendable {
  private let session: SessionID
  private let makeDecoder: @Sendable () throws(MediaError) -> any VideoDecoder
  private let sink: SharedSink?
  private let report: @Sendable (ConferenceInput) -> Void
  private let jobs: OrderedMailbox<Job>
  private let isStopped = Atomic(false)

  /// Two seconds of pictures.
  private static let capacity = 64

  private struct Job: Sendable {
    var frame: AssembledFrame
    /// `nil`: it is only there for pictures that refer to it.
    var showAt: Instant?
  }

  init(
    session: SessionID, sink: SharedSink?,
    makeDecoder: @escaping @Sendable () throws(MediaError) -> any VideoDecoder,
    report: @escaping @Sendable (ConferenceInput) -> Void
  ) throws(SystemError) {
    self.session = session
    self.sink = sink
    self.makeDecoder = makeDecoder
    self.report = report
    jobs = OrderedMailbox(capacity: Self.capacity, wakeUp: try WakeUp())
  }

  func start() throws(SystemError) -> Thread {
    try Thread.start("decode") { self.run() }
  }

  func decode(_ frame: AssembledFrame, showAt: Instant?) {
    if !jobs.post(Job(frame: frame, showAt: showAt)) { report(.decodeFailed(session)) }
  }

  func stop() {
    isStopped.store(true, ordering: .releasing)
    jobs.wakeUp.signal()
  }

  private func run() {
    do {
      let decoder = try makeDecoder()
      var queue = ShowQueue()
      var isTold = false
      while !isStopped.load(ordering: .acquiring) {
        for job in jobs.takeAll() { take(job, with: decoder, into: &queue) }
        let now = Clock.now
        while let shown = queue.next(at: now) {
          show(shown)
          // Told once: each would wake the network thread.
          if !isTold { report(.shown(session, shown.picture.size)) }
          isTold = true
        }
        jobs.wakeUp.wait(queue.nextTime.map { max(.zero, $0 - Clock.now) })
      }
    } catch {
      report(.deviceFailed(.view, error))
    }
    sink?.remove(peer: session.description)
  }

  private func take(_ job: Job, with decoder: any VideoDecoder, into queue: inout ShowQueue) {
    // Nobody looks: the first picture proves that decoding works.
    if sink == nil, queue.lastSize != nil { return }
    do {
      guard let picture = try decoder.decode(job.frame.bytes) else { return }
      if let showAt = job.showAt { queue.append(picture, showAt: showAt) }
    } catch {
      report(.decodeFailed(session))
    }
  }

  private func show(_ shown: ShowQueue.Entry) {
    if let failure = sink?.show(
      VideoFrame(picture: shown.picture, capturedAt: shown.showAt), of: session.description)
    {
      report(.deviceFailed(.view, failure))
    }
  }
}

/// Decoded pictures that wait for their time, in order. A peer may send small frames of huge
/// pictures: beyond `byteLimit` the oldest are lost.
struct ShowQueue {
  struct Entry {
    var picture: Picture
    var showAt: Instant
  }

  private var entries: [Entry] = []
  private(set) var lastSize: PictureSize?

  /// A second of 720p, or two of the largest pictures.
  static let byteLimit = 50_000_000

  mutating func append(_ picture: Picture, showAt: Instant) {
    // A picture never overtakes the one before it.
    let earliest = entries.last?.showAt ?? .zero
    entries.append(
      Entry(
        picture: picture, showAt: max(showAt, earliest)))
    lastSize = picture.size
    var bytes = entries.reduce(0) { $0 + $1.picture.storage.count }
    while bytes > Self.byteLimit, entries.count > 1 {
      bytes -= entries.removeFirst().picture.storage.count
    }
  }

  var nextTime: Instant? { entries.first?.showAt }

  mutating func next(at now: Instant) -> Entry? {
    guard let first = entries.first, first.showAt <= now else { return nil }
    return entries.removeFirst()
  }
}

/// The one view of all peers' pictures. Once it failed it is left alone: its failure is told once,
/// whoever meets it.
final class SharedSink: Sendable {
  private let sink: any VideoSink
  private let hasFailed = Atomic(false)

  init(_ sink: any VideoSink) { self.sink = sink }

  func announce(_ size: PictureSize, framesPerSecond: Double, of peer: String) {
    if isWorking { sink.announce(size, framesPerSecond: framesPerSecond, of: peer) }
  }

  /// Why the sink failed, to the caller who met it first.
  func show(_ frame: VideoFrame, of peer: String) -> MediaError? {
    guard isWorking else { return nil }
    do {
      try sink.show(frame, of: peer)
      return nil
    } catch {
      return hasFailed.exchange(true, ordering: .relaxed) ? nil : error
    }
  }

  func remove(peer: String) { sink.remove(peer: peer) }

  private var isWorking: Bool { !hasFailed.load(ordering: .relaxed) }
}
