import Media
import Runtime
import Synchronization
import Units

/// A source or sink together with the way to open it again: a device is closed while it is off and
/// after it failed, so that a camera's light is out and others may have it. What cannot be opened
/// again (pipes, files) stays open all the time.
///
/// The thread that works with it takes it out; the network thread switches.
final class DeviceSwitch<Device: Sendable>: Sendable {
  typealias Opening = @Sendable () throws(MediaError) -> Device

  private let reopen: Opening?
  private let end: @Sendable (Device) -> Void
  private let state: Mutex<State>
  private let news: WakeUp

  private struct State {
    var isOn = true
    var isStopped = false
    /// What the thread works with; ended by who takes it away.
    var device: Device?
  }

  /// `end` makes a device's waiting thread return.
  init(
    _ device: Device, reopen: Opening?, end: @escaping @Sendable (Device) -> Void
  ) throws(SystemError) {
    self.reopen = reopen
    self.end = end
    state = Mutex(State(device: device))
    news = try WakeUp()
  }

  var isOn: Bool { state.withLock { $0.isOn } }

  /// Off closes the device where it can be opened again; on opens it, unless it is open.
  func turn(on isOn: Bool) {
    let closed = state.withLock { state -> Device? in
      state.isOn = isOn
      guard !isOn, reopen != nil else { return nil }
      defer { state.device = nil }
      return state.device
    }
    if let closed { end(closed) }
    news.signal()
  }

  /// Ends the device's thread.
  func stop() {
    let device = state.withLock {
      $0.isStopped = true
      return $0.device
    }
    if let device { end(device) }
    news.signal()
  }

  /// Waits that long, or until something is switched.
  func pause(_ interval: Interval) { news.wait(interval) }

  /// The device to work with, opened if need be; waits while it is off. `nil` at the end.
  func next() throws(MediaError) -> Device? {
    while true {
      let (isStopped, isOn, device) = state.withLock { ($0.isStopped, $0.isOn, $0.device) }
      if isStopped { return nil }
      if let device { return device }
      guard isOn, let reopen else {
        news.wait()
        continue
      }
      let opened = try reopen()
      // Meanwhile it may have been switched off or ended.
      let isWanted = state.withLock {
        guard $0.isOn, !$0.isStopped else { return false }
        $0.device = opened
        return true
      }
      if isWanted { return opened }
      end(opened)
    }
  }

  /// The device gave its last. False when there will be no other: who wants another has taken it
  /// away before.
  func ended() -> Bool { state.withLock { $0.device == nil && !$0.isStopped } }

  /// The device failed and is off now. False when it cannot be opened again.
  func failed() -> Bool {
    state.withLock {
      $0.isOn = false
      $0.device = nil
      return reopen != nil && !$0.isStopped
    }
  }
}
