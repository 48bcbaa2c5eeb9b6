package import Units

/// How one peer's sender starts and what bounds it.
package struct SendingConfiguration: Sendable {
  /// Of everything, before the path was measured.
  package var startRate = Bitrate.kilobits(1_200)
  /// Congestion control never asks for less.
  package var minimumRate = Bitrate.kilobits(80)
  /// Until `.limit` says otherwise.
  package var limit = Bitrate.kilobits(2_500)
  /// What a packet costs on the wire beside its own bytes: frame kind 1, DTLS 37, UDP 8, IPv4 20.
  package var overhead = ByteCount(66)
  /// The same in a stream's send queue: frame header 4, TLS 1.3 record 22.
  package var streamOverhead = ByteCount(26)
  /// Where sequence numbers and picture ids begin. The channel is encrypted, so they need not be
  /// unpredictable (RFC 3550 §5.1 asks for that against known-plaintext attacks).
  package var firstSequence: UInt16 = 0
  package var firstTimestamp: UInt32 = 0

  package init() {}
}
