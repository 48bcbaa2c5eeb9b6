import CLinux
public import Synchronization

/// Values from any thread to one, in order; full **refuses** the new one and tells the sender:
/// for sound, coded frames and commands, which are never dropped silently.
///
/// `public` and inlinable so that it is specialised where it is used (decision 13): the network
/// thread looks into its own in every turn.
public final class OrderedMailbox<Element: Sendable>: Sendable {
  @usableFromInline let capacity: Int
  @usableFromInline let waiting = Mutex<[Element]>([])
  /// Signalled at each post; several mailboxes may share one.
  public let wakeUp: WakeUp

  @inlinable
  public init(capacity: Int, wakeUp: WakeUp) {
    precondition(capacity > 0, "a mailbox holds at least one")
    self.capacity = capacity
    self.wakeUp = wakeUp
  }

  /// False when full: the element was not taken. `wakes` is false for what may wait until the reader
  /// wakes up for something else.
  @inlinable
  @discardableResult
  public func post(_ element: Element, wakes: Bool = true) -> Bool {
    let isTaken = waiting.withLock {
      guard $0.count < capacity else { return false }
      $0.append(element)
      return true
    }
    if wakes { wakeUp.signal() }
    return isTaken
  }

  /// Waits until there is room: for threads that may, and whose reader always comes round to it.
  package func postWaiting(_ element: Element) {
    while !post(element) { usleep(500) }
  }

  /// All that waits, oldest first.
  @inlinable
  public func takeAll() -> [Element] {
    var taken: [Element] = []
    takeAll(into: &taken)
    return taken
  }

  /// Appends all that waits, oldest first; an empty list changes places with it, so that both keep
  /// their memory.
  @inlinable
  public func takeAll(into list: inout [Element]) {
    waiting.withLock {
      if list.isEmpty {
        swap(&list, &$0)
      } else {
        list.append(contentsOf: $0)
        $0.removeAll(keepingCapacity: true)
      }
    }
  }

  package var count: Int { waiting.withLock { $0.count } }
}
