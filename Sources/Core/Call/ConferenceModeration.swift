import Links
import Rooms
import Units
import Wire

/// What the room's owner decrees, and what becomes of it at those who hear of it.
extension Conference {
  mutating func lock(_ isLocked: Bool, at now: Instant) {
    let present = peers.compactMap(\.key)
    issue(isLocked ? .lock(present: present) : .unlock, at: now)
  }

  /// `who`: the shown name, or the beginning of the fingerprint or session.
  mutating func kick(_ who: String, at now: Instant) {
    let meant = peers.filter { $0.isMeant(by: who) }
    guard let peer = meant.first else {
      return complain("nobody here is called \(who)", remedy: "/who shows who is here")
    }
    guard meant.count == 1 else {
      return complain(
        "\(who) may be \(meant.count) people",
        remedy: "write the beginning of a fingerprint, which /who shows")
    }
    guard let key = peer.key else {
      return complain(
        "it is not known yet who that is",
        remedy: "lock the room with /lock, or wait until they are connected")
    }
    issue(.ban(key), at: now)
  }

  private mutating func issue(_ decree: Decree, at now: Instant) {
    do throws(DecreeRefusal) {
      try charter?.issue(decree)
    } catch {
      switch error {
      case .notOwner:
        complain(
          "only who made this room may do that", remedy: "ask its owner, or make one of your own")
      case .noCharter:
        complain("the server has not told about this room yet", remedy: "try again in a moment")
      case .ownKey:
        complain("you cannot remove yourself", remedy: "/leave leaves the call")
      case .full:
        complain("the room's list of people is full", remedy: "make a new room")
      }
      return
    }
    if let record = charter?.record { rendezvous.handle(.store(record), at: now) }
    charterChanged(at: now)
  }

  /// A sealed charter, from the server or a member: neither can make the owner's word.
  mutating func learn(_ sealed: [UInt8], at now: Instant) {
    guard charter?.learn(sealed) == true else { return }
    if let valid = charter?.record { rendezvous.handle(.learned(valid), at: now) }
    charterChanged(at: now)
  }

  /// The owner's new word: told to all, since the server may keep it from some, and obeyed.
  private mutating func charterChanged(at now: Instant) {
    roomEndsAt = charter?.endsAt.flatMap { $0 > now ? $0 : nil }
    if let sealed = charter?.sealed {
      for peer in peers where peer.gate.isOpen {
        sendControl(.sealedCharter(sealed), to: peer.session, at: now)
      }
    }
    let isLocked = charter?.charter?.policy.isLocked ?? false
    if isLocked != isLockTold {
      isLockTold = isLocked
      outputs.append(.event(.locked(isOn: isLocked)))
    }
    if charter?.ownObjection(at: now) == .banned { return end(.removed, at: now) }
    expelUnwanted(at: now)
  }

  mutating func roomExpired(at now: Instant) {
    roomEndsAt = nil
    expelUnwanted(at: now)
    complain("the room has expired", remedy: "make a new one with p2pcall room create")
  }

  /// Those to whom the charter, as it is now, objects.
  private mutating func expelUnwanted(at now: Instant) {
    for peer in peers {
      guard let key = peer.key, let objection = charter?.objection(to: key, at: now) else {
        continue
      }
      expel(peer.session, objection, at: now)
    }
  }

  mutating func expel(_ session: SessionID, _ objection: CharterObjection, at now: Instant) {
    hub.handle(.removePeer(session), at: now)
    let reason =
      objection == .banned ? "removed by the room's owner" : "not admitted by the room's owner"
    remove(session, reason: reason, at: now)
  }

  private mutating func complain(_ message: String, remedy: String) {
    outputs.append(.event(.failure(code: 0, message: message, remedy: remedy)))
  }
}

extension PeerSession {
  fileprivate func isMeant(by text: String) -> Bool {
    // A shorter beginning is more likely a name.
    let least = 4
    return label.name == text
      || text.count >= least
        && (session.description.hasPrefix(text.lowercased())
          || key?.description.hasPrefix(text) == true
          || key?.description.hasPrefix("sha256:\(text)") == true)
  }
}
