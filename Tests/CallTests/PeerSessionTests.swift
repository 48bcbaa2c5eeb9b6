import ErasureCoding
import Links
import Media
import Rooms
import Sending
import Testing
import Units
import Wire

@testable import Call

@Suite struct PeerSessionTests {
  private let start = Instant(nanoseconds: 1_000_000_000)

  private func provedPeer(_ acquaintance: Acquaintance = .new(name: "Ben")) -> PeerSession {
    var peer = PeerSession(
      session: SessionID(bytes: [UInt8](repeating: 1, count: 16))!,
      erasureCode: CauchyErasureCode(), joinedAt: start)
    peer.proved(
      KeyFingerprint(bytes: [UInt8](repeating: 2, count: 32))!, acquaintance, isAdmitted: true)
    peer.tell(.source(PictureSize(width: 640, height: 480), framesPerSecond: 30), at: start)
    return peer
  }

  private func sound(at instant: Instant) -> EncodedAudioFrame {
    EncodedAudioFrame(bytes: [1, 2, 3], samples: 960, capturedAt: instant)
  }

  /// A picture that the pacer needs a while for.
  private func picture(at instant: Instant) -> EncodedVideoFrame {
    EncodedVideoFrame(
      bytes: [UInt8](repeating: 0, count: 200_000), isKeyFrame: true,
      size: PictureSize(width: 640, height: 480), capturedAt: instant)
  }

  private func mediaFrames(_ peer: inout PeerSession) -> Int { frames(.rtp, &peer) }

  private func frames(_ kind: FrameKind, _ peer: inout PeerSession) -> Int {
    var count = 0
    while let output = peer.nextOutput() {
      if case .frame(kind, _) = output { count += 1 }
    }
    return count
  }

  @Test func `S8: what waits for its turn does not go out once the user has left`() {
    var peer = provedPeer()
    peer.send(picture(at: start), at: start)
    peer.send(sound(at: start), at: start)
    #expect((1..<100).contains(mediaFrames(&peer)))

    peer.userLeft()
    peer.send(sound(at: start), at: start + .milliseconds(20))
    for step in 1...100 { peer.timeout(at: start + .milliseconds(20 + Int64(step))) }
    #expect(mediaFrames(&peer) == 0)
  }

  @Test func `S8: reports of what was sent and seen stop with the media`() {
    var peer = provedPeer()
    peer.send(sound(at: start), at: start)
    for step in 1...300 { peer.timeout(at: start + .milliseconds(Int64(step) * 10)) }
    #expect(frames(.rtcp, &peer) > 0)

    peer.userLeft()
    for step in 301...1_200 { peer.timeout(at: start + .milliseconds(Int64(step) * 10)) }
    #expect(frames(.rtcp, &peer) == 0)
  }

  @Test func `S5: a peer with a changed key gets nothing`() {
    let pinned = KeyFingerprint(bytes: [UInt8](repeating: 3, count: 32))!
    var peer = provedPeer(.changed(name: "Ben", pinned: pinned))
    peer.send(picture(at: start), at: start)
    peer.send(sound(at: start), at: start)
    for step in 1...100 { peer.timeout(at: start + .milliseconds(Int64(step))) }
    #expect(mediaFrames(&peer) == 0)
  }

  @Test func `feedback about the peer's packets leaves right behind our sound`() {
    var peer = provedPeer()
    // With a report of what was sent.
    peer.send(sound(at: start), at: start)
    let packet = RTPPacket(
      isMarked: false, payloadType: MediaStream.PayloadType.vp8, sequence: SequenceNumber(1),
      timestamp: 0, source: MediaStream.Source.video, transportSequence: SequenceNumber(1),
      payload: [0x10, 0, 0, 0][...])
    peer.receive(.rtp, packet.encoded[...], at: start)
    while peer.nextOutput() != nil {}
    let due = try? #require(peer.nextDeadline?.at)
    let now = start + .milliseconds(2)
    #expect(due.map { $0 > now } == true)
    peer.send(sound(at: now), at: now)
    var kinds: [FrameKind] = []
    while let output = peer.nextOutput() {
      if case .frame(let kind, _) = output { kinds.append(kind) }
    }
    #expect(kinds == [.rtp, .rtcp])
  }

  @Test func `what waits in one link does not hold back sound on the next`() {
    var peer = provedPeer()
    let first = LinkID.stream(.dialed(1))
    let second = LinkID.stream(.dialed(2))
    peer.carries(on: first, at: start) { _ in 100_000 }
    _ = mediaFrames(&peer)
    peer.send(sound(at: start), at: start)
    #expect(mediaFrames(&peer) == 0)
    // The second never had anything waiting, so nothing tells of a change there.
    peer.carries(on: second, at: start) { _ in 0 }
    peer.send(sound(at: start), at: start + .milliseconds(20))
    #expect(mediaFrames(&peer) == 2)
  }

  @Test func `a carrier that holds as much as before is believed, whatever was given to it since`()
  {
    var peer = provedPeer()
    peer.carrierHolds(450, at: start)
    for step in 0..<20 {
      let now = start + .milliseconds(20 * Int64(step))
      peer.send(sound(at: now), at: now)
      _ = mediaFrames(&peer)
      peer.carrierHolds(450, at: now)
    }
    let now = start + .milliseconds(400)
    peer.send(sound(at: now), at: now)
    #expect(mediaFrames(&peer) == 1)
  }
}
