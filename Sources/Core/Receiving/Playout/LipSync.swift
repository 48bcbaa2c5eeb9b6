import Units
import Wire

/// When pictures are to be shown so that they fit the sound: sender reports tell when picture and
/// sound were captured on one clock, the sound thread tells when sound is heard.
///
/// A picture is shown at once unless it would be more than 15 ms early. Where it is late, and stays
/// late, the sound is asked to wait.
struct LipSync {
  private struct Reference {
    /// On the sender's clock.
    var time: Interval
    var timestamp: Int64
  }
  private var video: Reference?
  private var audio: Reference?
  /// From capture to being heard; the difference of two clocks, smoothed.
  private var audioLatency: (value: Interval, at: Instant)?
  private var lastShow = Instant(nanoseconds: .min)
  /// How late pictures were for the sound since `hold` was last looked at: negative is early.
  private var lags: [Interval] = []
  private var hold = Interval.zero
  private var holdAt: Instant?
  /// Differences of the pictures shown since statistics were taken.
  private var skews: [Interval] = []

  /// Nobody sees less (ITU-R BT.1359 puts the threshold far above).
  private static let tolerance = Interval.milliseconds(15)
  /// Where a picture that has to wait is put: within the tolerance, with room for jitter.
  private static let lead = Interval.milliseconds(8)
  private static let mostDelay = Interval.milliseconds(500)
  private static let mostHold = Interval.milliseconds(150)
  private static let holdInterval = Interval.milliseconds(1_000)
  private static let staleAfter = Interval.milliseconds(1_000)
  private static let sampleLimit = 240

  mutating func noteVideo(_ report: SenderReport, timestamp: Int64) {
    video = Reference(time: NTPTime.interval(report.time), timestamp: timestamp)
  }

  mutating func noteAudio(_ report: SenderReport, timestamp: Int64) {
    audio = Reference(time: NTPTime.interval(report.time), timestamp: timestamp)
  }

  mutating func noteAudioHeard(_ timestamp: Int64, at heard: Instant, now: Instant) {
    guard let audio else { return }
    let captured = capture(timestamp, audio, rate: MediaStream.ClockRate.audio)
    let latency = heard - Instant.zero - captured
    guard let known = audioLatency, now - known.at < Self.staleAfter,
      (latency - known.value).magnitude < .milliseconds(60)
    else {
      audioLatency = (latency, now)
      return
    }
    audioLatency = (known.value + (latency - known.value) * 0.125, now)
  }

  /// When a picture that is ready now is to be shown; never before the one ahead of it.
  mutating func showTime(of timestamp: Int64, at now: Instant) -> Instant {
    var show = now
    if let video, let latency = audioLatency, now - latency.at < Self.staleAfter {
      let captured = capture(timestamp, video, rate: MediaStream.ClockRate.video)
      let lag = now - Instant.zero - captured - latency.value
      append(lag, to: &lags)
      if lag < .zero - Self.tolerance {
        show = now + min(.zero - lag - Self.lead, Self.mostDelay)
      }
      show = max(show, lastShow)
      append(lag + (show - now), to: &skews)
    } else {
      show = max(show, min(lastShow, now + Self.mostDelay))
    }
    lastShow = show
    return show
  }

  private func append(_ sample: Interval, to samples: inout [Interval]) {
    if samples.count == Self.sampleLimit { samples.removeFirst() }
    samples.append(sample)
  }

  /// How long the sound should wait, when that has changed.
  mutating func newHold(at now: Instant) -> Interval? {
    guard let last = holdAt else {
      holdAt = now
      return nil
    }
    guard now - last >= Self.holdInterval else { return nil }
    holdAt = now
    defer { lags.removeAll(keepingCapacity: true) }
    guard lags.count >= 5 else { return nil }
    let lag = lags.sorted()[lags.count / 2]
    var wanted = hold
    if lag > .milliseconds(12) {
      wanted = min(Self.mostHold, hold + min(lag - .milliseconds(4), .milliseconds(40)))
    } else if lag < .milliseconds(-5) {
      wanted = max(.zero, hold - min(.zero - lag, .milliseconds(20)))
    }
    guard wanted != hold else { return nil }
    hold = wanted
    return wanted
  }

  mutating func takeSkew() -> Interval {
    defer { skews.removeAll(keepingCapacity: true) }
    return skews.isEmpty ? .zero : skews.sorted()[skews.count / 2]
  }

  /// On the clock of pictures' timestamps (`MediaAge.time`); `nil` before both reports.
  func pictureTime(ofSound timestamp: Int64) -> Interval? {
    audio.flatMap {
      pictureTime(ofClock: capture(timestamp, $0, rate: MediaStream.ClockRate.audio))
    }
  }

  /// The same the other way round.
  func soundTime(ofPicture timestamp: Int64) -> Interval? {
    video.flatMap {
      soundTime(ofClock: capture(timestamp, $0, rate: MediaStream.ClockRate.video))
    }
  }

  /// `time` on the sender's clock, on that of pictures' timestamps; `nil` before their report.
  func pictureTime(ofClock time: Interval) -> Interval? {
    video.map {
      MediaAge.time(of: $0.timestamp, rate: MediaStream.ClockRate.video) + (time - $0.time)
    }
  }

  func soundTime(ofClock time: Interval) -> Interval? {
    audio.map {
      MediaAge.time(of: $0.timestamp, rate: MediaStream.ClockRate.audio) + (time - $0.time)
    }
  }

  /// On the sender's clock.
  private func capture(_ timestamp: Int64, _ reference: Reference, rate: Int64) -> Interval {
    let ticks = timestamp &- reference.timestamp
    return reference.time + .seconds(Double(ticks) / Double(rate))
  }
}
