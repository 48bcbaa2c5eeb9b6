import Units
import Wire

/// Which link frames go on, and what is done when links fall silent.
extension PeerLinks {
  func choose(at now: Instant) {
    let before = selection.sending
    proved.removeAll { link($0) == nil }
    options.removeAll(keepingCapacity: true)
    for id in proved {
      guard let pulse = link(id)?.pulse else { continue }
      options.append(
        PathSelection.Option(
          id: id, rank: rank(of: id), isAlive: pulse.isAlive(at: now),
          isSteady: pulse.isSteady(at: now)))
    }
    if let number = selection.update(options), let id = selection.sending {
      let select = Select(number: number)
      switch id {
      case .datagram: datagrams.select(select, at: now)
      case .stream: streams.select(select, on: id, at: now)
      }
    }
    if isLower { closeSurplus(at: now) }
    if selection.sending != before { reliable.resendAll(at: now) }
    if let sending = selection.sending {
      reliable.setCarrier(sending.carrier, roundTrip: roundTrip)
    }
    reportPath()
    reportRoundTrip()
  }

  /// How long a link stays that is not needed: until SELECT has come to the other side, and what it
  /// sent here before that, its first key frame perhaps, has arrived.
  private static let surplusTime = Interval.seconds(3)

  /// One TCP link is enough, in use or in reserve.
  func closeSurplus(at now: Instant) {
    guard proved.count(where: { $0.carrier == .stream }) > 1 else {
      surplusCloseAt = nil
      return
    }
    let streamLinks = proved.filter { $0.carrier == .stream }
    let closeAt = surplusCloseAt ?? now + Self.surplusTime
    surplusCloseAt = closeAt
    guard closeAt <= now else { return }
    surplusCloseAt = nil
    let sending = streamLinks.first { $0 == selection.sending }
    let alive = streamLinks.first { link($0)?.pulse.isAlive(at: now) == true }
    let kept = sending ?? alive ?? streamLinks[0]
    streams.closeProved(except: kept, at: now)
    proved.removeAll { $0.carrier == .stream && $0 != kept }
  }

  /// Datagrams count as a stream where we speak with our relay over TCP; how the other side does with its own
  /// is not known here.
  private var datagramCarrier: Carrier {
    if case .relayed(let carrier) = datagrams.sendingPath?.socket.origin {
      carrier
    } else {
      .datagram
    }
  }

  /// See `PathSelection.Option`.
  private func rank(of id: LinkID) -> Int {
    guard id.carrier == .datagram else { return 1 }
    guard datagrams.isRelayed else { return 0 }
    return datagramCarrier == .datagram ? 2 : 3
  }

  func reportPath() {
    guard let id = selection.sending, let link = link(id) else { return }
    let isDatagram = id.carrier == .datagram
    let farEnd = isDatagram ? datagrams.sendingPath?.remote : streams.farEnd(of: id)
    guard let farEnd else { return }
    let current = PathReport(
      carrier: isDatagram ? datagramCarrier : .stream, isRelayed: isDatagram && datagrams.isRelayed,
      family: farEnd.ip.isV4 ? .v4 : .v6,
      roundTrip: link.roundTrip, cipher: link.cipherName)
    if let report, !silence.isOver, report.carrier == current.carrier,
      report.family == current.family, report.isRelayed == current.isRelayed,
      report.cipher == current.cipher
    {
      return
    }
    guard !silence.isReported else { return }
    silence.isOver = false
    report = current
    outputs.append(.selected(session, current))
  }

  func reportRoundTrip() {
    guard let roundTrip, report != nil else { return }
    if let told = toldRoundTrip {
      let change = (roundTrip - told).magnitude
      guard change > max(told / 10, .milliseconds(1)) else { return }
    }
    toldRoundTrip = roundTrip
    outputs.append(.roundTrip(session, roundTrip))
  }

  func pump(at now: Instant) {
    guard let id = selection.sending else { return }
    while backlog <= Self.reliableBacklogLimit, let segment = reliable.nextSegment(at: now) {
      transmit(Frame(.segment, segment.encoded), on: id, at: now)
    }
  }

  // MARK: Silence

  func watchSilence(at now: Instant) {
    for id in proved {
      if let heard = link(id)?.pulse.heardAt { silence.hear(at: heard) }
    }
    switch silence.nextEvent(at: now) {
    case .lost:
      outputs.append(.lost(session, .silent))
      depart(sayingGoodbye: false, at: now)
      return
    case .silent: outputs.append(.silent(session))
    case nil: break
    }
    revive(at: now)
  }

  func revive(at now: Instant) {
    if let link = datagrams.link, link.state == .proved {
      revival.observe(
        heardAt: link.pulse.heardAt,
        on: Revival.Way(path: datagrams.sendingPath, generation: generation))
    }
    while let step = revival.nextStep(pathAnsweredAt: datagrams.pathAnsweredAt, at: now) {
      switch step {
      case .probe:
        datagrams.probe(at: now)
        outputs.append(.doubtful(session))
      case .reconsider:
        outputs.append(.doubtful(session))
        datagrams.reconsider(at: now)
        streams.hasten(at: now)
      case .replaceSession: datagrams.replaceLink(at: now)
      case .restart:
        restart(to: generation &+ 1, at: now)
        describe(at: now)
      }
    }
    takeCarrierOutputs(at: now)
  }
}
