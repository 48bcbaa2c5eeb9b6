import Call
import ErasureCoding
import Links
package import Media
import Receiving
package import Sending
package import Units
import Wire

/// One direction of a call without links and rooms: a real sender and receiver, and between them
/// nothing but a simulated network.
package final class MediaPair {
  package let studio: Studio
  package let viewer: Viewer
  package let source: SimulatedHost
  package let sink: SimulatedHost
  private let world: World
  private let network: SimulatedNetwork
  private let senderClock: SimulatedClock
  private let receiverClock: SimulatedClock
  private let findings: Findings
  private let sabotage: Sabotage?
  private var heldBack: [[UInt8]] = []
  private var sender: MediaSender
  private var receiver = MediaReceiver(erasureCode: CauchyErasureCode())
  private var audioPlan = AudioPlan()
  private var soundAdvice: AudioAdvice?
  private var pictureAdvice: EncoderAdvice?
  private var senderAlarm: Alarm!
  private var receiverAlarm: Alarm!
  private var senderTurns: TurnChecker
  private var receiverTurns: TurnChecker
  private var pace: PaceChecker
  private let senderSocket: SocketID
  private let receiverSocket: SocketID
  private let senderAddress: SocketAddress
  private let receiverAddress: SocketAddress
  /// Bytes of picture and sound that arrived.
  package private(set) var receivedBytes = ByteCount.zero

  /// Of the camera's pictures, where nothing else is said.
  package static let size = PictureSize(width: 1_280, height: 720)

  /// What DTLS adds to a frame: 13 bytes of header, 8 of nonce, 16 of tag, checked at the end.
  private static let padding = [UInt8](repeating: 0, count: 21)

  package init(
    _ world: World, network: SimulatedNetwork, from: AccessLine, to: AccessLine,
    size: PictureSize = MediaPair.size, framesPerSecond: Double = 30,
    limit: Bitrate = .kilobits(2_500), skewLimit: Interval = .milliseconds(40),
    oldest: Interval = .seconds(3), film: RealFilm? = nil,
    sabotage: Sabotage? = nil, findings: Findings
  ) {
    self.world = world
    self.network = network
    self.findings = findings
    self.sabotage = sabotage
    source = network.addHost("source", line: from)
    sink = network.addHost("sink", line: to)
    var random = world.split()
    senderClock = SimulatedClock(epoch: .seconds(5_000), partsPerMillion: 20)
    receiverClock = SimulatedClock(epoch: .seconds(90_000), partsPerMillion: -20)
    sender = MediaSender(erasureCode: CauchyErasureCode())
    senderTurns = TurnChecker("sender", findings: findings)
    receiverTurns = TurnChecker("receiver", findings: findings)
    pace = PaceChecker("sender", findings: findings)
    let (outgoing, sourcePort) = source.bindDatagram()
    let (incoming, sinkPort) = sink.bindDatagram()
    senderSocket = outgoing
    receiverSocket = incoming
    senderAddress = SocketAddress(source.addresses[0], port: sourcePort)
    receiverAddress = SocketAddress(sink.addresses[0], port: sinkPort)
    let camera = ScriptedCamera(camera: 7, random: random.split())
    var hand: (SendingInput) -> Void = { _ in }
    studio = Studio(
      world, clock: senderClock, camera: camera, microphone: ScriptedMicrophone(microphone: 7),
      size: size, framesPerSecond: framesPerSecond, film: film, takeVideo: { hand(.video($0)) },
      takeAudio: { hand(.audio($0)) })
    viewer = Viewer(
      "viewer", world: world, clock: receiverClock, of: studio, oldest: oldest,
      skewLimit: skewLimit,
      since: world.now + .seconds(5),
      sabotage: sabotage, findings: findings)
    hand = { [unowned self] in feed($0) }
    studio.wantsVideo = { [unowned self] _ in sender.wantsVideo }
    planSound()
    senderAlarm = Alarm(world, clock: senderClock) { [unowned self] in
      feed(SendingInput.timeout, byTimer: true)
    }
    receiverAlarm = Alarm(world, clock: receiverClock) { [unowned self] in
      feed(ReceivingInput.timeout, byTimer: true)
    }
    source.program = { [unowned self] in
      guard case .datagram(let bytes, _, _) = $0, let frame = Self.opened(bytes) else { return }
      feed(SendingInput.feedback(frame.body))
    }
    sink.program = { [unowned self] in
      guard case .datagram(let bytes, _, _) = $0, let frame = Self.opened(bytes) else { return }
      take(frame)
    }
    feed(.limit(limit))
    feed(.source(size, framesPerSecond: framesPerSecond))
    viewer.open(
      onPlayed: { [unowned self] in
        feed(.audioPlayed(rtpTimestamp: $0, at: $1, deviceDelay: $2))
      }, onConcealed: { _, _ in })
    studio.open()
    // A link's pings tell both sides.
    world.repeat(every: .seconds(1)) { [weak self] in
      guard let self else { return false }
      let roundTrip = roundTripOfLines
      feed(SendingInput.roundTrip(roundTrip))
      feed(ReceivingInput.roundTrip(roundTrip))
      return true
    }
  }

  private var roundTripOfLines: Interval {
    let lines = [source.line, sink.line]
    return lines.reduce(.zero) { $0 + $1.up.delay + $1.down.delay }
  }

  package var target: Bitrate { sender.target }
  package func statistics() -> SendStatistics {
    sender.takeStatistics(at: senderClock.local(world.now))
  }

  private static func sealed(_ kind: FrameKind, _ body: [UInt8]) -> [UInt8] {
    let bytes = padding + [kind.rawValue] + body
    return bytes + MixingHash.digest(0x5041_4952, bytes, count: 16)
  }

  /// An altered datagram is dropped, as by DTLS.
  private static func opened(_ bytes: [UInt8]) -> Frame? {
    guard bytes.count >= padding.count + 17 else { return nil }
    let covered = Array(bytes.dropLast(16))
    guard bytes.suffix(16).elementsEqual(MixingHash.digest(0x5041_4952, covered, count: 16))
    else { return nil }
    return try? Frame(decoding: Array(covered.dropFirst(padding.count)))
  }

  private func take(_ frame: Frame) {
    switch frame.kind {
    case .rtp:
      receivedBytes += ByteCount(frame.body.count)
      feed(ReceivingInput.packet(frame.body))
    case .rtcp: feed(ReceivingInput.report(frame.body))
    default: return
    }
  }

  private func feed(_ input: SendingInput, byTimer: Bool = false) {
    let now = senderClock.local(world.now)
    sender.handle(input, at: now)
    var count = 0
    while let output = sender.nextOutput() {
      count += 1
      switch output {
      case .packet(let bytes): transmit(.rtp, bytes)
      case .report(let bytes): transmit(.rtcp, bytes)
      case .encoder(let advice):
        studio.order(
          .main,
          advice.size.map {
            VideoEncoderSettings(
              size: $0, framesPerSecond: advice.framesPerSecond, bitrate: advice.bitrate)
          })
        pictureAdvice = advice
        planSound()
      case .audio(let advice):
        soundAdvice = advice
        planSound()
      case .keyFrameNeeded: studio.wantKeyFrame(.main)
      }
    }
    var deadline = sender.nextDeadline
    if sabotage == .deadlineInThePast { deadline?.at = now - .nanoseconds(1) }
    senderTurns.turned(byTimer: byTimer, outputs: count, at: now, deadline: deadline)
    senderAlarm.set(sender.nextDeadline)
  }

  /// As a conference does.
  private func planSound() {
    studio.audioOrder = audioPlan.order(
      for: soundAdvice.map { [$0] } ?? [], pictures: pictureAdvice.map { [$0] } ?? [])
  }

  private func transmit(_ kind: FrameKind, _ body: [UInt8]) {
    heldBack.append(Self.sealed(kind, body))
    if sabotage == .burst, heldBack.count < 200 { return }
    for bytes in heldBack {
      pace.send(bytes.count + 28, target: sender.target, at: world.now)
      source.transmit(bytes, to: receiverAddress, from: senderSocket)
    }
    heldBack.removeAll(keepingCapacity: true)
  }

  private func feed(_ input: ReceivingInput, byTimer: Bool = false) {
    let now = receiverClock.local(world.now)
    receiver.handle(input, at: now)
    var count = 0
    while let output = receiver.nextOutput() {
      count += 1
      switch output {
      case .decode(let frame, let showAt):
        viewer.decode(frame, showAt: showAt.map { receiverClock.world($0) }) {
          [weak self] verdict in
          if verdict == .failed { self?.feed(ReceivingInput.decodeFailed) }
        }
      case .audio(let packet): viewer.take(packet)
      case .audioHold(let hold): viewer.hold(hold)
      case .report(let bytes):
        sink.transmit(Self.sealed(.rtcp, bytes), to: senderAddress, from: receiverSocket)
      }
    }
    receiverTurns.turned(
      byTimer: byTimer, outputs: count, at: now, deadline: receiver.nextDeadline)
    receiverAlarm.set(receiver.nextDeadline)
  }
}
