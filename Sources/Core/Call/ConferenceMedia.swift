import Links
import Media
import Sending
import Units
import Wire

/// What is to be captured, encoded and sent, and how that goes.
extension Conference {
  mutating func updateOrders(at now: Instant) {
    openPeers.removeAll(keepingCapacity: true)
    openAdvice.removeAll(keepingCapacity: true)
    openSoundAdvice.removeAll(keepingCapacity: true)
    for index in 0..<peers.count where !ending.hasBegun && peers[index].gate.isOpen {
      openPeers.append(index)
      if let advice = peers[index].advice { openAdvice.append(advice) }
      if let advice = peers[index].audioAdvice { openSoundAdvice.append(advice) }
    }
    updateRenditions(of: isCameraOn ? openPeers : [], at: now)
    var wanted: AudioOrder?
    if isMicrophoneOn, !openPeers.isEmpty {
      wanted = audioPlan.order(for: openSoundAdvice, pictures: openAdvice)
    }
    if wanted != audioOrder {
      audioOrder = wanted
      outputs.append(.encodeAudio(wanted))
    }
  }

  /// Tells the senders what there is to send; the user's limit is for all that leaves this
  /// computer, so open peers share it.
  mutating func announceSource(at now: Instant) {
    for index in peers.indices where peers[index].gate.isOpen {
      bound(index, at: now)
      guard let full = sentPicture else { continue }
      sendControl(
        .picture(
          width: UInt16(clamping: full.size.width), height: UInt16(clamping: full.size.height),
          rate: UInt16(clamping: Int((full.framesPerSecond * 100).rounded()))),
        to: peers[index].session, at: now)
    }
  }

  /// The largest picture that we send to anybody, and its rate.
  private var sentPicture: (size: PictureSize, framesPerSecond: Double)? {
    source.map {
      (
        $0.size.shrunk(into: configuration.picture),
        min($0.framesPerSecond, configuration.framesPerSecond)
      )
    }
  }

  /// Tells a peer's sender its share of the user's limit, and the picture, no more of either than the
  /// peer itself wants.
  mutating func bound(_ index: Int, at now: Instant) {
    let open = peers.count(where: \.gate.isOpen)
    let share = configuration.bitrateLimit * (1 / Double(max(1, open)))
    let asked = peers[index].asked.bounds
    peers[index].tell(.limit(asked.bitrate.map { min($0, share) } ?? share), at: now)
    guard let full = sentPicture else { return }
    peers[index].tell(
      .source(
        asked.bounded(full.size), framesPerSecond: full.framesPerSecond, configuration.content),
      at: now)
  }

  mutating func reportStatistics(at now: Instant) {
    for index in peers.indices where peers[index].isProved {
      var statistics = peers[index].statistics(at: now)
      statistics.roundTrip = hub.roundTrip(of: peers[index].session)
      statistics.send.encoderSpeed = encoderSpeed
      statistics.cpuPercent = usage.cpuPercent
      statistics.residentMegabytes = usage.residentMegabytes
      outputs.append(.event(.stats(peers[index].label, statistics)))
    }
  }

  mutating func deviceFailed(_ device: Device, _ error: MediaError, at now: Instant) {
    outputs.append(
      .event(
        .device(
          kind: device.rawValue, name: error.device.isEmpty ? error.message : error.device,
          state: "\(error.kind)")))
    outputs.append(.event(.failure(code: 7, message: error.message, remedy: error.remedy)))
    switch device {
    case .camera: isCameraOn = false
    case .microphone: isMicrophoneOn = false
    case .view, .speaker: return
    }
    announceSources(at: now)
  }
}
