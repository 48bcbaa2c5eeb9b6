import Media
import Runtime
import Synchronization

/// A source together with the way to open it again: a device is closed while it is off and after
/// it failed, so that a camera's light is out and others may have it. Sources that cannot be opened
/// again (pipes, files) stay open all the time.
///
/// The source's thread takes sources out; the network thread switches.
final class SourceSwitch<Source: Sendable>: Sendable {
  typealias Opening = @Sendable () throws(MediaError) -> Source

  private let reopen: Opening?
  private let end: @Sendable (Source) -> Void
  private let state: Mutex<State>
  private let news: WakeUp

  private struct State {
    var isOn = true
    var isStopped = false
    /// What the thread works with; ended by who takes it away.
    var source: Source?
  }

  /// `end` makes a source's waiting thread return.
  init(
    _ source: Source, reopen: Opening?, end: @escaping @Sendable (Source) -> Void
  ) throws(SystemError) {
    self.reopen = reopen
    self.end = end
    state = Mutex(State(source: source))
    news = try WakeUp()
  }

  var isOn: Bool { state.withLock { $0.isOn } }

  /// Off closes the source where it can be opened again; on opens it, unless it is open.
  func turn(on isOn: Bool) {
    let closed = state.withLock { state -> Source? in
      state.isOn = isOn
      guard !isOn, reopen != nil else { return nil }
      defer { state.source = nil }
      return state.source
    }
    if let closed { end(closed) }
    news.signal()
  }

  /// Ends the source's thread.
  func stop() {
    let source = state.withLock {
      $0.isStopped = true
      return $0.source
    }
    if let source { end(source) }
    news.signal()
  }

  /// The source to take from, opened if need be; waits while it is off. `nil` at the end.
  func next() throws(MediaError) -> Source? {
    while true {
      let (isStopped, isOn, source) = state.withLock { ($0.isStopped, $0.isOn, $0.source) }
      if isStopped { return nil }
      if let source { return source }
      guard isOn, let reopen else {
        news.wait()
        continue
      }
      let opened = try reopen()
      // Meanwhile it may have been switched off or ended.
      let isWanted = state.withLock {
        guard $0.isOn, !$0.isStopped else { return false }
        $0.source = opened
        return true
      }
      if isWanted { return opened }
      end(opened)
    }
  }

  /// The source gave its last. False when there will be no other: who wants another has taken it
  /// away before.
  func ended() -> Bool { state.withLock { $0.source == nil && !$0.isStopped } }

  /// The source failed and is off now. False when it cannot be opened again.
  func failed() -> Bool {
    state.withLock {
      $0.isOn = false
      $0.source = nil
      return reopen != nil && !$0.isStopped
    }
  }
}
