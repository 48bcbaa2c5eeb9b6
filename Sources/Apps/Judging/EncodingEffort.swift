package import Units

/// What one second of a call asked of its encoder, as the call itself told.
package struct EncodingEffort: Hashable, Sendable {
  /// Of the pictures that were sent.
  package var rate: Bitrate
  /// libvpx's `cpu-used`.
  package var cpuUsed: Int

  package init(rate: Bitrate, cpuUsed: Int) {
    self.rate = rate
    self.cpuUsed = cpuUsed
  }

  /// From the statistics that came between two instants, in their order; a second without pictures
  /// is left out.
  package static func perSecond(
    of log: EventLog, from: Instant, to: Instant
  ) -> [EncodingEffort] {
    log.all("stats").filter { $0.at >= from && $0.at <= to }.compactMap { line in
      guard let kilobits = line.number("send.video_kbps"), kilobits > 0,
        let speed = line.number("send.encoder_speed")
      else { return nil }
      return EncodingEffort(rate: .kilobits(Int64(kilobits.rounded())), cpuUsed: Int(speed))
    }
  }
}
