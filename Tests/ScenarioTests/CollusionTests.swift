import Call
import Links
import Rooms
import Simulation
import Testing
import Units
import Wire

/// A member who colludes with the server and with another member (THREATS S25).
@Suite struct CollusionTests {
  private struct Attack {
    let call: SimulatedCall
    let anna: SimulatedMember
    let ben: SimulatedMember
    let eve: Accomplice
  }

  /// Chat is what matters here.
  private func silent(_ transport: Transport) -> SimulatedMember.Options {
    var options = SimulatedMember.Options()
    options.sendsVideo = false
    options.sendsAudio = false
    options.transport = transport
    return options
  }

  private func attack(
    seed: UInt64, isKeyLent: Bool, _ transport: Transport
  ) throws -> Attack {
    let call = try SimulatedCall(seed: seed)
    let options = silent(transport)
    let anna = call.add("Anna", options: options)
    let ben = call.add("Ben", options: options, after: .milliseconds(500))
    let eve = Accomplice(
      in: call, as: ben, against: anna, isKeyLent: isKeyLent, transport: transport)
    call.at(.seconds(2)) { call.chatter(every: .milliseconds(150), until: .zero + .seconds(12)) }
    return Attack(call: call, anna: anna, ben: ben, eve: eve)
  }

  /// Ben is gone without a word, and the server says that he is there again, before Anna has lost him
  /// and after.
  private func retire(_ attack: Attack) {
    let (call, anna, ben) = (attack.call, attack.anna, attack.ben)
    let member = RoomMember(session: ben.session, peerID: ben.identity.keyHash)
    call.at(.seconds(6)) { ben.kill() }
    for second in [8.0, 20, 40] {
      call.at(.seconds(second)) { anna.takeFromServer(RendezvousFrame(.memberJoined, member)) }
    }
  }

  private func expectNothingCrossed(_ attack: Attack, _ what: String) {
    let (call, anna, ben, eve) = (attack.call, attack.anna, attack.ben, attack.eve)
    call.finish(chatIsComplete: false)
    #expect(call.findings.isEmpty, "\(what): \(call.findings.summary)")
    #expect(eve.loot.isEmpty, "\(what)")
    let key = KeyFingerprint(bytes: ben.identity.keyHash)?.description
    var keys: Set<String> = []
    for (_, event) in anna.events {
      switch event {
      case .trust(_, let peerID, _): keys.insert(peerID)
      case .chat(_, _, let text): #expect(!text.contains(Accomplice.boast), "\(what)")
      case .peerLeft(_, let reason): #expect(reason != "left", "\(what)")
      default: break
      }
    }
    #expect(keys == [key], "\(what)")
  }

  /// She comes before Ben is proved, with him, or in mid-call; knows all that the server and the room's
  /// secret tell, and has the key of his links or not.
  @Test(arguments: [Transport.auto, .udp, .tcp], [true, false])
  func `S25: another identity never joins a session, whatever the server and its owner lend it`(
    transport: Transport, isKeyLent: Bool
  ) throws {
    var proofs = 0
    for seed in UInt64(1)...12 {
      let attack = try attack(seed: seed, isKeyLent: isKeyLent, transport)
      attack.call.at(.seconds(0.5 + 0.25 * Double(seed))) { attack.eve.begin() }
      if seed % 3 == 0 { retire(attack) }
      attack.call.at(.seconds(48)) { attack.eve.end() }
      attack.call.run(for: .seconds(seed % 3 == 0 ? 50 : 15))
      expectNothingCrossed(attack, "seed \(seed), \(transport), \(isKeyLent)")
      proofs += attack.eve.proofs
    }
    // With his key she gets as far as Anna's proof, and no further.
    #expect((proofs > 0) == isKeyLent)
  }

  /// Somebody who is in the room twice, and goes and comes with one of the two.
  @Test(arguments: [Transport.auto, .udp, .tcp])
  func `S25: two sessions of one identity share no message`(transport: Transport) throws {
    for seed in UInt64(1)...5 {
      let call = try SimulatedCall(seed: seed)
      var options = silent(transport)
      let anna = call.add("Anna", options: options)
      options.identity = SimulatedIdentity(seed: seed)
      let ben = call.add("Ben", options: options)
      let other = call.add("Ben again", options: options, after: .milliseconds(300))
      call.at(.seconds(2)) { call.chatter(every: .milliseconds(100), until: .zero + .seconds(9)) }
      if seed % 2 == 0 {
        call.at(.seconds(5)) { ben.move(to: call.network.nextAddresses()) }
      }
      call.run(for: .seconds(20))
      call.finish()
      #expect(call.findings.isEmpty, "seed \(seed): \(call.findings.summary)")
      #expect(call.chatLinesSaid > 100 && call.chatLinesHeard == 2 * call.chatLinesSaid)
      let keys = anna.events.compactMap {
        if case .trust(_, let id, _) = $0.event { id } else { nil }
      }
      #expect(keys.count == 2 && Set(keys).count == 1)
      _ = other
    }
  }
}
