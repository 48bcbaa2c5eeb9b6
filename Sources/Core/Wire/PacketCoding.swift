/// What each packet passes through, in code of its own: the members that `WireMessage` gives to all
/// messages are generic, and called from another module they look their types up at run time
/// (docs/decisions/0013-optimise-across-modules.md). Here they are specialised.

extension Frame {
  package init(decoding bytes: [UInt8]) throws(WireError) { self = try decoded(bytes[...]) }
  package init(decoding bytes: ArraySlice<UInt8>) throws(WireError) { self = try decoded(bytes) }
  package func encode(to bytes: inout [UInt8]) { append(self, to: &bytes) }
}

extension RTPPacket {
  package init(decoding bytes: ArraySlice<UInt8>) throws(WireError) { self = try decoded(bytes) }
  package func encode(to bytes: inout [UInt8]) { append(self, to: &bytes) }
}

extension VP8Payload {
  package init(decoding bytes: ArraySlice<UInt8>) throws(WireError) { self = try decoded(bytes) }
  package func encode(to bytes: inout [UInt8]) { append(self, to: &bytes) }
}

extension TransportFeedback {
  package func encode(to bytes: inout [UInt8]) { append(self, to: &bytes) }
}
