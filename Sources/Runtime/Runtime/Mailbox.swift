import CLinux
import Synchronization

/// Values from any thread to one, in order; full **refuses** the new one and tells the sender:
/// for sound, coded frames and commands, which are never dropped silently.
package final class OrderedMailbox<Element: Sendable>: Sendable {
  private let capacity: Int
  private let waiting = Mutex<[Element]>([])
  /// Signalled at each post; several mailboxes may share one.
  package let wakeUp: WakeUp

  package init(capacity: Int, wakeUp: WakeUp) {
    precondition(capacity > 0, "a mailbox holds at least one")
    self.capacity = capacity
    self.wakeUp = wakeUp
  }

  /// False when full: the element was not taken.
  @discardableResult
  package func post(_ element: Element) -> Bool {
    let isTaken = waiting.withLock {
      guard $0.count < capacity else { return false }
      $0.append(element)
      return true
    }
    wakeUp.signal()
    return isTaken
  }

  /// Waits until there is room: for threads that may, and whose reader always comes round to it.
  package func postWaiting(_ element: Element) {
    while !post(element) { usleep(500) }
  }

  /// All that waits, oldest first.
  package func takeAll() -> [Element] {
    waiting.withLock {
      let taken = $0
      $0.removeAll(keepingCapacity: true)
      return taken
    }
  }

  package var count: Int { waiting.withLock { $0.count } }
}
