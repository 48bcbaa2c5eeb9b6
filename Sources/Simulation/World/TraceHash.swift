package import Units

/// A 64-bit hash over everything that happened, in order: two runs of one seed must agree in it.
package struct TraceHash: Sendable {
  private var hash = MixingHash(domain: 0x5452_4143)
  /// How many entries were added.
  package private(set) var count = 0

  package init() {}

  package var value: UInt64 { hash.word }

  package mutating func add(_ what: StaticString, at now: Instant) {
    count += 1
    hash.absorb(UInt64(bitPattern: now.nanoseconds))
    hash.absorb(UInt64(what.utf8CodeUnitCount))
    what.withUTF8Buffer { for byte in $0 { hash.absorb(UInt64(byte)) } }
  }

  package mutating func add(_ number: Int) { hash.absorb(UInt64(bitPattern: Int64(number))) }
  package mutating func add(_ bytes: [UInt8]) { hash.absorb(bytes) }
}
