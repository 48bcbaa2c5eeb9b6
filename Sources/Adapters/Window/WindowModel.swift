package import Media
import Synchronization

/// The mailbox between the call's threads and the window's. States and pictures are replaced,
/// never queued: of each peer only the newest picture waits, and the newest wins.
package final class WindowModel: VideoSink, Sendable {
  /// What the window takes in one go.
  struct Snapshot {
    var state: WindowState
    var pictures: [String: Picture]
    var selfPicture: Picture?
    var isClosed: Bool
  }

  private struct Contents {
    var state = WindowState()
    var pictures: [String: Picture] = [:]
    var selfPicture: Picture?
    var isClosed = false
    /// Something changed since the last `take`; the window has been woken for it.
    var isChanged = true
    var wake: (@Sendable () -> Void)?
  }

  private let contents = Mutex(Contents())
  /// Pictures of peers that never come into the state are not kept without bound.
  private static let pictureLimit = 64

  package init(_ state: WindowState = WindowState()) {
    contents.withLock { $0.state = state }
  }

  /// Changes the state; may be called from any thread.
  package func update(_ body: (inout WindowState) -> Void) {
    change {
      body(&$0.state)
      return true
    }
  }

  package var state: WindowState { contents.withLock { $0.state } }

  package func show(_ frame: VideoFrame, of peer: String) {
    change {
      guard $0.pictures[peer] != nil || $0.pictures.count < Self.pictureLimit else { return false }
      $0.pictures[peer] = frame.picture
      return true
    }
  }

  package func remove(peer: String) {
    change { $0.pictures.removeValue(forKey: peer) != nil }
  }

  /// The picture that is being sent, for the self-view; `nil` when there is none any more.
  package func showSelf(_ picture: Picture?) {
    change {
      $0.selfPicture = picture
      return true
    }
  }

  /// Ends the window's loop; may be called from any thread, more than once.
  package func close() {
    change {
      $0.isClosed = true
      return true
    }
  }

  /// `wake` is called once after a change until the next `take`, on the changing thread.
  func onChange(_ wake: (@Sendable () -> Void)?) {
    contents.withLock { $0.wake = wake }
  }

  /// All contents if they changed since the last call.
  func take() -> Snapshot? {
    contents.withLock {
      guard $0.isChanged else { return nil }
      $0.isChanged = false
      return Snapshot(
        state: $0.state, pictures: $0.pictures, selfPicture: $0.selfPicture, isClosed: $0.isClosed)
    }
  }

  private func change(_ body: (inout Contents) -> Bool) {
    let wake = contents.withLock { contents -> (@Sendable () -> Void)? in
      guard body(&contents), !contents.isChanged else { return nil }
      contents.isChanged = true
      return contents.wake
    }
    wake?()
  }
}
