package import Units

/// When silence means something. The user hears of it within 5 s, and a peer is gone by 31 s.
package enum Liveness {
  /// From here on a link is asked for a sign of life often.
  package static let doubt = Interval.milliseconds(700)
  /// A link that was silent for so long doesn't carry frames while another one is heard.
  package static let suspicion = Interval.milliseconds(1_500)
  /// A peer that was silent for so long is reported as such.
  package static let silence = Interval.milliseconds(3_500)
  /// A peer that was silent for so long is lost.
  package static let loss = Interval.seconds(30)
}
