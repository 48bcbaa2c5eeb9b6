package import Media
package import Units

/// Plays to nobody, in real time: playout, and with it lip sync, goes on as with a speaker.
package final class SilentSink: AudioSink {
  private let stopping: StopSignal
  /// Touched by the playout thread.
  private nonisolated(unsafe) var pace = PlayoutPace()

  package init() throws(MediaError) { stopping = try StopSignal() }

  package func play(_ samples: UnsafeBufferPointer<Int16>) throws(MediaError) {
    _ = stopping.sleep(until: pace.end(ofNext: samples.count))
  }
  package var delay: Interval { pace.delay }
  package func stop() { stopping.raise() }
}

/// Shows pictures to nobody.
package final class HiddenView: VideoSink {
  package init() {}
  package func show(_ frame: VideoFrame, of peer: String) {}
  package func remove(peer: String) {}
}
