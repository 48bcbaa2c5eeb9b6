import Links
import Media
import Rooms
import Units
import Wire

/// What we want of each of the others at most, and each of them of us.
extension Conference {
  /// A peer's pictures are shown in a place of this size.
  mutating func shown(_ session: SessionID, in place: PictureSize, at now: Instant) {
    guard let index = index(of: session) else { return }
    peers[index].place = place
    weighPlace(of: index, at: now)
  }

  /// The peer told how large its pictures are at most.
  mutating func announced(_ size: PictureSize, byPeerAt index: Int, at now: Instant) {
    peers[index].announced = size
    weighPlace(of: index, at: now)
  }

  private mutating func weighPlace(of index: Int, at now: Instant) {
    guard let place = peers[index].place, let picture = peers[index].announced else { return }
    peers[index].shownPart.show(picture, in: place, at: now)
    tellBounds(to: index, at: now)
  }

  /// Tells a peer what is wanted of it at most, unless it knows.
  mutating func tellBounds(to index: Int, at now: Instant) {
    peers[index].shownPart.settle(at: now)
    guard peers[index].gate.isOpen else { return }
    var bounds = configuration.receive
    if let picture = peers[index].announced, let part = peers[index].shownPart.part, part < 1 {
      bounds.narrow(to: picture.scaled(by: part))
    }
    guard bounds != peers[index].told else { return }
    peers[index].told = bounds
    sendControl(bounds.message, to: peers[index].session, at: now)
  }

  mutating func boundsTimeout(of index: Int, at now: Instant) {
    if let due = peers[index].shownPart.dueAt, due <= now { tellBounds(to: index, at: now) }
    if peers[index].asked.settle(at: now) { bound(index, at: now) }
  }
}
