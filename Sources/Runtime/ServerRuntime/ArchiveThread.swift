import CLinux
import Rooms
import Runtime

/// Writes rooms to their archive, so that a slow disk keeps nobody waiting.
final class ArchiveThread: Sendable {
  private let orders: OrderedMailbox<Order>
  private let thread: Thread

  private enum Order: Sendable {
    case store(StoredRoom)
    case forget(rid: [UInt8])
    case finish
  }

  init(_ archive: any RoomArchive) throws(SystemError) {
    let orders = OrderedMailbox<Order>(capacity: 4_096, wakeUp: try WakeUp())
    self.orders = orders
    thread = try Thread.start("rooms", priority: .background) {
      while true {
        orders.wakeUp.wait()
        for order in orders.takeAll() {
          switch order {
          case .store(let room): archive.store(room)
          case .forget(let rid): archive.forget(rid: rid)
          case .finish: return
          }
        }
      }
    }
  }

  func store(_ room: StoredRoom) { post(.store(room)) }
  func forget(rid: [UInt8]) { post(.forget(rid: rid)) }

  /// After all that was ordered has been written.
  func finish() {
    post(.finish)
    thread.join()
  }

  /// Making rooms waits for a disk that is slower still: nothing is dropped.
  private func post(_ order: Order) {
    while !orders.post(order) { usleep(500) }
  }
}
