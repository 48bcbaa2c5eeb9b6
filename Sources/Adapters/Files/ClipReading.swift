import CLinux
import Media
import Synchronization
import Units

/// One reading of a media file by `p2pcall-media`, in real time from the moment when its pictures
/// or its sound are first asked for. A thread hands both out a little before they are due.
final class ClipReading: Sendable {
  let description: ClipDescription
  /// A fifth of a second of pictures at 60 a second, and 400 ms of sound, may wait.
  let pictures = Handover<Timed<Picture>, MediaError>(room: 12)
  let sound = Handover<Timed<[Int16]>, MediaError>(room: 40)
  /// The helper's process.
  let process: Int32
  private let name: String
  private let stopping: StopSignal
  /// Raised when the clip begins to play.
  private let beginning: StopSignal
  private let start = Mutex<Instant?>(nil)
  /// Pictures and sound that are still wanted.
  private let listeners: Atomic<Int>
  /// How long before it is due something is handed out.
  private static let lead = Interval.milliseconds(150)

  /// Waits for the helper's description of the file: at most 10 s.
  init(_ path: String, _ arguments: [String]) throws(MediaError) {
    name = path
    stopping = try StopSignal()
    beginning = try StopSignal()
    let helper = try ClipHelper(arguments + [path])
    process = helper.process
    let reader = PipeReader(helper.output, stopping: stopping)
    guard stopping.wait(for: helper.output.number, events: POLLIN, atMost: .seconds(10)) == .ready
    else {
      throw MediaError(
        .failed, "\(path) could not be read within 10 seconds", remedy: "try a copy on this disk")
    }
    guard let (header, bytes) = try Self.record(reader, path), header.kind == .description,
      let description = ClipDescription(bytes: bytes)
    else { throw Self.broken(path) }
    self.description = description
    listeners = Atomic((description.pictureSize != nil ? 1 : 0) + (description.hasSound ? 1 : 0))
    // The thread owns the helper: it ends when the thread does.
    let parts = Parts(helper: helper, reader: reader)
    try startThread("clip-in") { [self] in run(parts) }
  }

  /// Something and when it is due, from the clip's beginning.
  struct Timed<Value: Sendable>: Sendable {
    var offset: Interval
    var value: Value
  }

  private final class Parts: @unchecked Sendable {
    let helper: ClipHelper
    let reader: PipeReader
    init(helper: ClipHelper, reader: PipeReader) {
      self.helper = helper
      self.reader = reader
    }
  }

  /// The clip plays from now on, if it does not yet.
  func begin() {
    start.withLock { $0 = $0 ?? .now }
    beginning.raise()
  }

  /// One of pictures and sound is no longer wanted; without either reading ends.
  func leave() {
    if listeners.subtract(1, ordering: .relaxed).newValue <= 0 { stop() }
  }

  func stop() {
    stopping.raise()
    pictures.stop()
    sound.stop()
  }

  /// When something of the clip is due; only after `begin`.
  func due(_ offset: Interval) -> Instant { start.withLock { $0 ?? .now } + offset }

  private func run(_ parts: Parts) {
    do throws(MediaError) {
      while let (header, bytes) = try Self.record(parts.reader, name) {
        let offset = Interval.microseconds(header.microseconds)
        guard wait(for: offset) else { return }
        try hand(out: header.kind, bytes, offset)
      }
    } catch {
      pictures.finish(error)
      sound.finish(error)
    }
    withExtendedLifetime(parts) {}
  }

  /// Until something is nearly due; false when stopped.
  private func wait(for offset: Interval) -> Bool {
    // Before the clip begins, what it begins with is made ready.
    if start.withLock({ $0 }) == nil {
      if offset < Self.lead { return true }
      guard stopping.wait(for: beginning.descriptor, events: POLLIN) == .ready else { return false }
    }
    let due = start.withLock { start in
      let begun = start ?? .now
      // A helper that cannot keep up, or a computer that slept, delays pictures and sound alike.
      let late = .now - (begun + offset)
      start = late > .milliseconds(200) ? begun + late : begun
      return (start ?? begun) + offset
    }
    return stopping.sleep(until: due - Self.lead)
  }

  private func hand(
    out kind: ClipRecord.Kind, _ bytes: [UInt8], _ offset: Interval
  ) throws(MediaError) {
    switch kind {
    case .picture:
      guard let size = description.pictureSize, bytes.count == size.pixels * 3 / 2 else { break }
      let picture = Picture(size: size) { target in
        bytes.withUnsafeBytes { target.copyMemory(from: $0) }
      }
      return pictures.put(Timed(offset: offset, value: picture))
    case .sound:
      guard description.hasSound, bytes.count == 2 * AudioFormat.blockSamples else { break }
      return sound.put(Timed(offset: offset, value: samples(littleEndian: bytes)))
    case .description, .problem: break
    }
    throw Self.broken(name)
  }

  /// The next record; `nil` when stopped. A record of kind `.problem` is thrown.
  private static func record(
    _ reader: PipeReader, _ name: String
  ) throws(MediaError) -> (ClipRecord.Header, [UInt8])? {
    guard let start = try bytes(reader, ClipRecord.Header.size, name) else { return nil }
    guard let header = ClipRecord.Header(bytes: start) else { throw broken(name) }
    guard let bytes = try bytes(reader, header.length, name) else { return nil }
    guard header.kind != .problem else { throw MediaError(record: bytes) ?? broken(name) }
    return (header, bytes)
  }

  private static func bytes(
    _ reader: PipeReader, _ count: Int, _ name: String
  ) throws(MediaError) -> [UInt8]? {
    var outcome: Result<PipeReader.Outcome<Void>, MediaError> = .success(.stopped)
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      do throws(MediaError) {
        outcome = .success(try reader.fill(UnsafeMutableRawBufferPointer(buffer)))
      } catch {
        outcome = .failure(error)
      }
      filled = if case .success(.value) = outcome { count } else { 0 }
    }
    switch try outcome.get() {
    case .value: return bytes
    case .stopped: return nil
    case .over:
      throw MediaError(
        .ended, "p2pcall-media, which read \(name), has ended", remedy: "nothing is sent for it now"
      )
    }
  }

  private static func broken(_ name: String) -> MediaError {
    MediaError(
      .failed, "what p2pcall-media says of \(name) makes no sense",
      remedy: "install p2pcall and p2pcall-media of the same version")
  }
}
