/// The fixed numbers of media on a link. There is no SDP, and a link has one peer at its other end,
/// so payload types and synchronisation sources need no negotiation (docs/wire-format.md).
package enum MediaStream {
  /// Payload types, 7 bits (RFC 3551 §6: 96…127 are dynamic).
  package enum PayloadType {
    package static let vp8: UInt8 = 96
    /// Retransmissions of `vp8` (RFC 4588).
    package static let vp8Repair: UInt8 = 97
    /// Parity over packets of `vp8`.
    package static let vp8Parity: UInt8 = 98
    package static let opus: UInt8 = 111
    /// `opus` with copies of earlier packets (RFC 2198).
    package static let redundantOpus: UInt8 = 63
  }

  /// Synchronisation sources (RFC 3550 §8); retransmissions have their own (RFC 4588 §4), and so has
  /// parity.
  package enum Source {
    package static let audio: UInt32 = 1
    package static let video: UInt32 = 2
    package static let videoRepair: UInt32 = 3
    package static let videoParity: UInt32 = 4
  }

  /// Timestamp units a second (RFC 7741 §4.1, RFC 7587 §4.1).
  package enum ClockRate {
    package static let video: Int64 = 90_000
    package static let audio: Int64 = 48_000
  }

  /// The largest RTP or RTCP packet: with the frame's kind and DTLS it fills a 1200-byte datagram.
  package static let packetLimit = 1_130
}
