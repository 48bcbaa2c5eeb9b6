import Testing
import Units
import Wire

/// The four tests of a wire message: it encodes to `golden` and back; every truncated prefix is
/// refused; trailing bytes are refused; seeded garbage never traps, and what garbage decodes to
/// survives a round trip.
///
/// `openFrom` is for a message whose last part takes all bytes that are left (a payload): only
/// prefixes shorter than that are refused, and nothing can trail it.
func checkMessage<Message: WireMessage>(
  _ value: Message, golden: [UInt8], openFrom: Int? = nil,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(value.encoded == golden, sourceLocation: sourceLocation)
  let decoded = try? Message(decoding: golden)
  #expect(decoded == value, sourceLocation: sourceLocation)
  for count in 0..<(openFrom ?? golden.count) {
    let refused = (try? Message(decoding: Array(golden[..<count]))) == nil
    #expect(refused, "a prefix of \(count) bytes", sourceLocation: sourceLocation)
  }
  if openFrom == nil {
    let refused = (try? Message(decoding: golden + [0])) == nil
    #expect(refused, "a byte too many", sourceLocation: sourceLocation)
  }
  var random = SeededRandom(seed: UInt64(golden.count))
  for round in 0..<2_000 {
    var bytes = golden
    if round % 4 == 0 {
      bytes = random.bytes(Int.random(in: 0...golden.count + 16, using: &random))
    } else {
      for _ in 0...round % 3 where !bytes.isEmpty {
        bytes[Int.random(in: bytes.indices, using: &random)] = random.bytes(1)[0]
      }
    }
    guard let decoded = try? Message(decoding: bytes) else { continue }
    let again = try? Message(decoding: decoded.encoded)
    #expect(again == decoded, "decoded from \(bytes)", sourceLocation: sourceLocation)
  }
}
