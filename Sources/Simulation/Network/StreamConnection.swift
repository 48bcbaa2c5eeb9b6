import Links
import Units

/// One end of a simulated TCP connection.
final class StreamConnection {
  private enum Stage {
    /// Dialled and not answered.
    case opening
    /// Called and not heard again.
    case accepting
    case open
    case gone
  }

  let id: StreamID
  let local: SocketAddress
  let remote: SocketAddress
  private let world: World
  private let transmit: (Packet) -> Void
  private let report: (NetworkEvent) -> Void
  /// The network forgets this end.
  private let remove: () -> Void

  private var stage: Stage
  private var sender: StreamSender
  private var receiver = StreamReceiver()
  /// Written bytes from `sender.acknowledged` on.
  private var buffer: [UInt8] = []
  private var bufferStart: Int64 = 0
  private var reportedBacklog = 0
  /// The program has hung up, or was told that the other side has.
  private var isUnwatched = false
  private var openAttempts = 0
  private var newestStamp: Instant?
  private var openDeadline: Instant?
  private var wakeAt: Instant?

  /// What the kernel takes beyond what is on the line (TCP_NOTSENT_LOWAT).
  private static let notSentLimit = 1_024
  private static let openLimit = 6

  init(
    dialing id: StreamID, from local: SocketAddress, to remote: SocketAddress, world: World,
    algorithm: StreamAlgorithm, transmit: @escaping (Packet) -> Void,
    report: @escaping (NetworkEvent) -> Void,
    remove: @escaping () -> Void
  ) {
    self.id = id
    self.local = local
    self.remote = remote
    self.world = world
    self.transmit = transmit
    self.report = report
    self.remove = remove
    sender = StreamSender(algorithm)
    stage = .opening
    open(.open)
  }

  init(
    accepting id: StreamID, at local: SocketAddress, from remote: SocketAddress, stamp: Instant,
    world: World, algorithm: StreamAlgorithm, transmit: @escaping (Packet) -> Void,
    report: @escaping (NetworkEvent) -> Void,
    remove: @escaping () -> Void
  ) {
    self.id = id
    self.local = local
    self.remote = remote
    self.world = world
    self.transmit = transmit
    self.report = report
    self.remove = remove
    sender = StreamSender(algorithm)
    stage = .accepting
    newestStamp = stamp
    open(.accept)
  }

  // MARK: The program's side

  func write(_ bytes: [UInt8]) {
    guard stage != .gone, !isUnwatched else { return }
    buffer += bytes
    sender.write(bytes.count)
    pump()
  }

  func hangUp() {
    guard stage != .gone else { return }
    isUnwatched = true
    if stage == .opening {
      end()
    } else {
      sender.finish()
      pump()
    }
  }

  /// The process or the computer is gone: the other side learns of it by a reset.
  func reset() {
    guard stage != .gone else { return }
    send(StreamSegment(kind: .reset))
    isUnwatched = true
    end()
  }

  // MARK: The line's side

  func handle(_ segment: StreamSegment) {
    guard stage != .gone else { return }
    newestStamp = max(newestStamp ?? segment.stamp, segment.stamp)
    switch (segment.kind, stage) {
    case (.reset, _): fail()
    case (.open, .accepting): send(StreamSegment(kind: .accept))
    case (.open, _): return
    case (.accept, .opening):
      stage = .open
      openDeadline = nil
      if let echo = segment.echo { sender.opened(in: world.now - echo) }
      acknowledge()
      report(.dialed(id))
      pump()
    case (.accept, _): acknowledge()
    case (.data, .opening), (.finish, .opening), (_, .gone): return
    case (.data, .accepting), (.finish, .accepting):
      stage = .open
      openDeadline = nil
      if let echo = segment.echo { sender.opened(in: world.now - echo) }
      report(.accepted(id, from: remote, at: local))
      handleData(segment)
    case (.data, .open), (.finish, .open): handleData(segment)
    }
  }

  private func handleData(_ segment: StreamSegment) {
    sender.acknowledge(segment.acknowledged, received: segment.received, at: world.now)
    dropAcknowledged()
    let bytes = receiver.take(segment.bytes, at: segment.offset)
    if segment.kind == .finish { receiver.finish(at: segment.offset) }
    if segment.kind == .finish || !segment.bytes.isEmpty { acknowledge() }
    if !bytes.isEmpty, !isUnwatched { report(.stream(bytes, on: id)) }
    if receiver.isFinished, !isUnwatched, stage != .gone {
      isUnwatched = true
      report(.streamClosed(id))
      sender.finish()
    }
    guard stage != .gone else { return }
    pump()
    if sender.isDone { end() }
  }

  private func dropAcknowledged() {
    let count = Int(min(sender.acknowledged, sender.written) - bufferStart)
    guard count > 0 else { return }
    buffer.removeFirst(count)
    bufferStart += Int64(count)
  }

  // MARK: Sending

  private func pump() {
    guard stage == .open else { return }
    while let emission = sender.nextEmission(at: world.now) {
      if emission.isFinish {
        send(StreamSegment(kind: .finish, offset: emission.range.lowerBound))
      } else {
        let start = Int(emission.range.lowerBound - bufferStart)
        let bytes = Array(buffer[start..<start + emission.range.count])
        send(StreamSegment(kind: .data, offset: emission.range.lowerBound, bytes: bytes))
      }
    }
    let backlog = max(0, sender.waiting - Self.notSentLimit)
    if backlog != reportedBacklog {
      reportedBacklog = backlog
      if !isUnwatched { report(.backlog(id, backlog)) }
    }
    wakeUp()
  }

  private func acknowledge() { send(StreamSegment(kind: .data, offset: sender.written)) }

  private func send(_ segment: StreamSegment) {
    var segment = segment
    segment.acknowledged = receiver.expected
    segment.received = receiver.islands
    segment.stamp = world.now
    segment.echo = newestStamp
    transmit(Packet(from: local, to: remote, payload: .segment(segment)))
  }

  // MARK: Time

  private func open(_ kind: StreamSegment.Kind) {
    openAttempts += 1
    send(StreamSegment(kind: kind))
    openDeadline = world.now + .seconds(Double(1 << (openAttempts - 1)))
    wakeUp()
  }

  private func wakeUp() {
    let deadline = stage == .open ? sender.nextDeadline : openDeadline
    guard let deadline else { return }
    if let wakeAt, wakeAt <= deadline { return }
    wakeAt = deadline
    world.schedule(at: deadline) { [weak self] in self?.wake(at: deadline) }
  }

  private func wake(at instant: Instant) {
    guard wakeAt == instant, stage != .gone else { return }
    wakeAt = nil
    if stage == .open {
      if let deadline = sender.nextDeadline, deadline <= world.now {
        guard sender.timedOut(at: world.now) else {
          fail()
          return
        }
        pump()
      }
    } else if let openDeadline, openDeadline <= world.now {
      guard openAttempts < Self.openLimit else {
        fail()
        return
      }
      open(stage == .opening ? .open : .accept)
    }
    wakeUp()
  }

  // MARK: The end

  private func fail() {
    let wasOpening = stage == .opening
    let wasOpen = stage == .open
    end()
    guard !isUnwatched else { return }
    if wasOpening { report(.dialFailed(id)) }
    if wasOpen { report(.streamClosed(id)) }
  }

  private func end() {
    stage = .gone
    remove()
  }
}
