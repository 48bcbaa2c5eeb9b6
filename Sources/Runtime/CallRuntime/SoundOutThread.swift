import Call
import Media
import Receiving
import Runtime
import Synchronization
import Units
import Wire

/// Plays everybody's sound: pulls each peer's jitter buffer, decodes, mixes, and gives the sink
/// 10 ms at a time, at the pace that the sink sets. A speaker that failed is tried again every two
/// seconds: a headset that was unplugged plays when it is plugged in.
///
/// Packets come from the network thread through one short list under a lock that is never held
/// while decoding.
final class SoundOutThread: Sendable {
  private let sink: DeviceSwitch<any AudioSink>
  private let retryInterval: Interval
  private let makeDecoder: @Sendable () throws(MediaError) -> any AudioDecoder
  private let report: @Sendable (ConferenceInput) -> Void
  /// Learns what is played, for the microphone's sake.
  private let played: PlayedSound?
  private let news = Mutex<[News]>([])
  private let isStopped = Atomic(false)

  /// What the network thread says; bounded, because nobody sends that much between two blocks.
  private enum News: Sendable {
    case open(SessionID)
    case close(SessionID)
    case packet(SessionID, AudioPacket)
    case hold(SessionID, Interval)
  }
  private static let newsLimit = 4_096

  /// `reopen` is there for devices.
  init(
    sink: any AudioSink,
    reopen: (@Sendable () throws(MediaError) -> any AudioSink)?,
    retryInterval: Interval = .seconds(2), played: PlayedSound?,
    makeDecoder: @escaping @Sendable () throws(MediaError) -> any AudioDecoder,
    report: @escaping @Sendable (ConferenceInput) -> Void
  ) throws(SystemError) {
    self.sink = try DeviceSwitch(sink, reopen: reopen) { $0.stop() }
    self.retryInterval = retryInterval
    self.played = played
    self.makeDecoder = makeDecoder
    self.report = report
  }

  func open(_ session: SessionID) { tell(.open(session)) }
  func close(_ session: SessionID) { tell(.close(session)) }
  func add(_ packet: AudioPacket, of session: SessionID) { tell(.packet(session, packet)) }
  func hold(_ hold: Interval, of session: SessionID) { tell(.hold(session, hold)) }

  private func tell(_ item: News) {
    news.withLock { if $0.count < Self.newsLimit { $0.append(item) } }
  }

  func start() throws(SystemError) -> Thread {
    try Thread.start("sound-out", priority: .realTime) { self.run() }
  }

  func stop() {
    isStopped.store(true, ordering: .releasing)
    sink.stop()
  }

  private var hasStopped: Bool { isStopped.load(ordering: .acquiring) }

  private func run() {
    var voices: [Voice] = []
    var lost: MediaError?
    while !hasStopped {
      do {
        guard let open = try sink.next() else { return }
        if let lost { report(.deviceReturned(.speaker, name: lost.device)) }
        lost = nil
        try play(&voices, on: open)
      } catch {
        if hasStopped { return }
        let mayComeBack = sink.failed()
        // Told once, however often it is tried.
        if lost == nil { report(.deviceFailed(.speaker, error)) }
        lost = lost ?? error
        guard mayComeBack else { return }
        standBy(&voices)
        sink.turn(on: true)
      }
    }
  }

  private func play(
    _ voices: inout [Voice], on sink: any AudioSink
  ) throws(MediaError) {
    var mix = Mix()
    while !hasStopped {
      try takeNews(into: &voices)
      let now = Clock.now
      mix.clear()
      for index in voices.indices {
        mix.add(voices[index].nextBlock(at: now))
        if let input = voices[index].playoutReport(at: now, deviceDelay: sink.delay) {
          report(input)
        }
        if let input = voices[index].concealmentReport() { report(input) }
      }
      try mix.withSamples { samples throws(MediaError) in
        try sink.play(samples)
        // The sink tells when the next block will be heard: this one, a block earlier.
        played?.add(samples, heardAt: Clock.now + sink.delay - AudioFormat.blockDuration)
      }
    }
  }

  /// While nothing can be heard, who comes and goes is still to be known.
  private func standBy(_ voices: inout [Voice]) {
    let end = Clock.now + retryInterval
    while !hasStopped, Clock.now < end {
      do { try takeNews(into: &voices) } catch { return }
      sink.pause(.milliseconds(20))
    }
  }

  private func takeNews(into voices: inout [Voice]) throws(MediaError) {
    for item in news.withLock({ taken(from: &$0) }) { try take(item, into: &voices) }
  }

  private func taken(from list: inout [News]) -> [News] {
    defer { list.removeAll(keepingCapacity: true) }
    return list
  }

  private func take(_ item: News, into voices: inout [Voice]) throws(MediaError) {
    switch item {
    case .open(let session):
      if !voices.contains(where: { $0.session == session }) {
        voices.append(Voice(session: session, decoder: try makeDecoder()))
      }
    case .close(let session): voices.removeAll { $0.session == session }
    case .packet(let session, let packet):
      guard let index = voices.firstIndex(where: { $0.session == session }) else { return }
      voices[index].insert(packet)
    case .hold(let session, let hold):
      guard let index = voices.firstIndex(where: { $0.session == session }) else { return }
      voices[index].hold(hold)
    }
  }
}

/// The sum of all voices, limited to 16 bit.
struct Mix {
  private var sums = [Int32](repeating: 0, count: AudioFormat.blockSamples)
  private var samples = [Int16](repeating: 0, count: AudioFormat.blockSamples)

  mutating func clear() {
    for index in sums.indices { sums[index] = 0 }
  }

  mutating func add(_ block: ArraySlice<Int16>) {
    for (index, sample) in block.enumerated() where index < sums.count {
      sums[index] += Int32(sample)
    }
  }

  mutating func withSamples(
    _ body: (UnsafeBufferPointer<Int16>) throws(MediaError) -> Void
  ) throws(MediaError) {
    for index in sums.indices { samples[index] = Int16(clamping: sums[index]) }
    try samples.withUnsafeBufferPointer(body)
  }
}
