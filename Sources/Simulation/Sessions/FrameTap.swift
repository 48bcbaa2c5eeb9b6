import Links
package import Wire

/// Sees the plaintext of what the links of one process send, frame by frame, for checkers.
///
/// Frames are sealed while the program handles an input, and told when it has done all that follows
/// from that: before then its user has not been told either of whom they go to.
///
/// Not thread-safe: a simulation has one thread.
package final class FrameTap: @unchecked Sendable {
  /// Kind and length of a frame, and the certificate's hash of the process it goes to (`nil` while
  /// a server has not seen it).
  private let report: (FrameKind, Int, [UInt8]?) -> Void
  private var sealed: [(kind: FrameKind, count: Int, peer: [UInt8]?)] = []

  package init(_ report: @escaping (FrameKind, Int, [UInt8]?) -> Void) { self.report = report }

  /// The program's turn is over.
  func endTurn() {
    let frames = sealed
    sealed.removeAll(keepingCapacity: true)
    for frame in frames { report(frame.kind, frame.count, frame.peer) }
  }

  /// One session's view: a stream's frames are cut at their lengths.
  struct Session {
    private let tap: FrameTap
    private let carrier: Carrier
    private var buffer: [UInt8] = []

    init(_ tap: FrameTap, carrier: Carrier) {
      self.tap = tap
      self.carrier = carrier
    }

    mutating func sent(_ message: [UInt8], to peer: [UInt8]?) {
      guard carrier == .stream else {
        see(message.first, count: message.count, peer)
        return
      }
      buffer += message
      while buffer.count >= 4 {
        let count = Int(buffer[0]) << 16 | Int(buffer[1]) << 8 | Int(buffer[2])
        guard buffer.count >= 3 + count else { return }
        see(buffer[3], count: count, peer)
        buffer.removeFirst(3 + count)
      }
    }

    private func see(_ kind: UInt8?, count: Int, _ peer: [UInt8]?) {
      guard let kind, let known = FrameKind(rawValue: kind) else { return }
      tap.sealed.append((known, count, peer))
    }
  }
}
