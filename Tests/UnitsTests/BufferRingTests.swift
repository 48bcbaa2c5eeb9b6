import Testing
import Units

@Suite struct BufferRingTests {
  @Test func `a buffer that was dropped comes again with its memory`() {
    var ring = BufferRing(count: 2, room: 100)
    var places: [UnsafeRawPointer?] = []
    for round in 0..<6 {
      let bytes = ring.make { $0.append(contentsOf: repeatElement(UInt8(round), count: 100)) }
      #expect(bytes == [UInt8](repeating: UInt8(round), count: 100))
      places.append(bytes.withUnsafeBytes { $0.baseAddress })
    }
    #expect(Set(places).count == 2)
    #expect(places[0] == places[2] && places[1] == places[5])
  }

  @Test func `what is held is never written over, a part of it neither`() {
    var ring = BufferRing(count: 3, room: 4)
    var held: [(UInt8, [UInt8])] = []
    var parts: [(UInt8, ArraySlice<UInt8>)] = []
    for number in 0..<UInt8(20) {
      let bytes = ring.make { $0 += [number, number, number] }
      if number % 2 == 0 {
        held.append((number, bytes))
      } else {
        parts.append((number, bytes[1...]))
      }
    }
    #expect(held.allSatisfy { $1 == [$0, $0, $0] })
    #expect(parts.allSatisfy { $1 == [$0, $0] })
  }

  @Test func `a ring of none makes a new one each time`() {
    var ring = BufferRing(count: 0, room: 8)
    #expect(ring.make { $0 += [1] } == [1])
    #expect(ring.make { $0 += [2, 3] } == [2, 3])
  }
}
