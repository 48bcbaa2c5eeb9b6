import Links
import Media
import Rooms
import Units
import Wire

/// Who is in the call: whom the server announces, whom a link proves, and whom the room's owner does
/// not want.
extension Conference {
  // MARK: The server

  mutating func take(_ output: RendezvousClient.Output, at now: Instant) {
    switch output {
    case .connect, .disconnect, .verify, .send: outputs.append(.rendezvous(output))
    case .joined(let room):
      roomEnteredAt = now
      statisticsDue = now + .seconds(1)
      let others = room.members.count { $0.session != configuration.ownSession }
      outputs.append(.event(.room(hint: configuration.roomHint, members: others + 1)))
      relaysDue = hub.lacksRelays ? now + Self.relayPatience : nil
      learn(room.record.sealed, at: now)
    case .memberJoined(let member): appeared(member.session, at: now)
    case .memberLeft(let session): vanished(session, at: now)
    case .box(let sender, let sealed):
      // A box that is refused is dropped: the sender repeats the whole of it on every change.
      guard let description = try? boxes.open(sealed, from: sender, at: now) else { return }
      hub.handle(.description(description, from: sender), at: now)
    case .record(let record): learn(record.sealed, at: now)
    case .relays(let grant):
      hub.handle(.relays(grant), at: now)
      relaysLearned(at: now)
    case .registeredAgain: outputs.append(.server(isReached: true))
    case .lost: outputs.append(.server(isReached: false))
    case .ended(.unreachable(let reason)): end(.unreachable(reason), at: now)
    case .ended(.refused): end(.refused(hasPassword: configuration.hasPassword), at: now)
    case .ended(.certificateRefused): end(.certificateRefused, at: now)
    case .ended(.serverRejected): end(.untrusted, at: now)
    case .ended(.left): break
    }
  }

  /// A server that has relays names them right behind its answer: this is for what TCP may lose.
  private static let relayPatience = Interval.seconds(5)

  /// Without relays, where they alone may be used, nobody could ever be reached: there is nothing to
  /// wait for.
  mutating func relaysLearned(at now: Instant) {
    relaysDue = nil
    if hub.lacksRelays, !departure.wasProved { end(.noRelay, at: now) }
  }

  /// A member is in the room, or has registered again.
  private mutating func appeared(_ session: SessionID, at now: Instant) {
    introduce(session, at: now)
    hub.handle(.peerAppeared(session), at: now)
  }

  private mutating func introduce(_ session: SessionID, at now: Instant) {
    strays.removeAll { $0 == session }
    guard index(of: session) == nil else { return }
    let peer = PeerSession(session: session, erasureCode: erasureCode, joinedAt: now)
    let position = peers.firstIndex { $0.session > session } ?? peers.count
    peers.insert(peer, at: position)
    outputs.append(.event(.peerJoined(peer.label)))
    if isCameraOn, !peers.contains(where: \.gate.isOpen) { outputs.append(.expectVideo) }
    departure.membersChanged(count: peers.count, at: now)
  }

  /// Links to one who fell silent are tried on while the server says that he is there.
  mutating func seek(_ session: SessionID, at now: Instant) {
    guard !ending.hasBegun, rendezvous.lists(session) else { return }
    strays.append(session)
    strays.sort()
    hub.handle(.peerAppeared(session), at: now)
  }

  /// The server says that a member has gone. It cannot end a proved link.
  private mutating func vanished(_ session: SessionID, at now: Instant) {
    if strays.contains(session) {
      strays.removeAll { $0 == session }
      hub.handle(.removePeer(session), at: now)
    }
    guard let index = index(of: session), !peers[index].isProved else { return }
    if let report = hub.attempts(with: session) {
      lastAttempts.note(peers[index].label, report, at: now)
    }
    hub.handle(.removePeer(session), at: now)
    remove(session, reason: "left", at: now)
  }

  mutating func remove(_ session: SessionID, reason: String, at now: Instant) {
    guard let index = index(of: session) else { return }
    let peer = peers.remove(at: index)
    if peer.isProved { outputs.append(.closePeer(session)) }
    outputs.append(.event(.peerLeft(peer.label, reason: reason)))
    departure.membersChanged(count: peers.count, at: now)
    // What is left to send to is shared anew.
    if peer.gate.isOpen { announceSource(at: now) }
  }

  // MARK: Who it is

  mutating func proved(_ session: SessionID, _ proof: ProvedPeer, at now: Instant) {
    if strays.contains(session) { introduce(session, at: now) }
    guard let index = index(of: session) else { return }
    departure.proved()
    guard let key = KeyFingerprint(bytes: proof.peerID) else { return }
    if let objection = charter?.objection(to: key, at: now) {
      return expel(session, objection, at: now)
    }
    let others = peers.filter { $0.session != session }.compactMap(\.key)
    let acquaintance = people.acquaintance(
      of: key, claiming: proof.displayName, proved: others, folding: folding)
    peers[index].proved(key, acquaintance, isAdmitted: true)
    outputs.append(
      .event(
        .trust(peers[index].label, peerID: key.description, acquaintance.trustState)))
    if let entry = people.record(acquaintance, of: key) { outputs.append(.remember(entry)) }
    if case .changed(let name, _) = acquaintance {
      if peers.count == 1 { end(.changedKey(name), at: now) }
      return
    }
    outputs.append(.openPeer(session))
    orderKeyFrame(.main, at: now)
    announceSource(at: now)
    sendControl(.sources(audio: isMicrophoneOn, video: isCameraOn), to: session, at: now)
    tellBounds(to: index, at: now)
    if let sealed = charter?.sealed { sendControl(.sealedCharter(sealed), to: session, at: now) }
    for message in chat.takeWaiting() { send(message, to: session, at: now) }
  }
}
