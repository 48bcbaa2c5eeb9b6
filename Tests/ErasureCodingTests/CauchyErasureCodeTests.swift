import ErasureCoding
import Media
import Testing
import Units

@Suite struct CauchyErasureCodeTests {
  private let code = CauchyErasureCode()

  private func data(_ count: Int, length: Int, seed: UInt64 = 1) -> [UInt8] {
    var random = SeededRandom(seed: seed)
    return random.bytes(count * length)
  }

  private func shard(_ number: Int, of shards: [UInt8], length: Int) -> ArraySlice<UInt8> {
    shards[number * length..<(number + 1) * length]
  }

  /// Rebuilds with `missing` overwritten, from the parity shards `numbers`.
  private func rebuilt(
    _ data: [UInt8], count: Int, length: Int, parity: [UInt8], missing: [Int], numbers: [Int]
  ) -> [UInt8] {
    var damaged = data
    for place in missing {
      for byte in place * length..<(place + 1) * length { damaged[byte] = 0xEE }
    }
    code.rebuild(
      &damaged, count: count, length: length, missing: missing,
      from: numbers.flatMap { shard($0, of: parity, length: length) }, numbered: numbers)
    return damaged
  }

  @Test func `parity is these bytes, on every processor`() {
    var parity: [UInt8] = [0xFF]
    code.encode(
      Array(1...40), count: 2, length: 20, parityCount: 2, into: &parity)
    // Row r, column c counts 1 / ((2 + r) xor c) in the field of x^8 + x^4 + x^3 + x^2 + 1:
    // 1/2 = 0x8E and 1/3 = 0xF4; 1/3 and 1/2.
    func product(_ left: UInt8, _ right: UInt8) -> UInt8 {
      var (sum, left, right) = (UInt8(0), left, right)
      while right > 0 {
        if right & 1 == 1 { sum ^= left }
        left = left & 0x80 == 0 ? left << 1 : left << 1 ^ 0x1D
        right >>= 1
      }
      return sum
    }
    let expected = [(UInt8(0x8E), UInt8(0xF4)), (0xF4, 0x8E)].flatMap { first, second in
      (1...20).map { product(first, $0) ^ product(second, $0 + 20) }
    }
    #expect(parity == [0xFF] + expected)
    #expect(expected.prefix(3) == [0x76, 0xF8, 0x82])
  }

  @Test(arguments: 1...6, 1...4)
  func `any losses up to the number of parity shards are mended, whichever came`(
    count: Int, parityCount: Int
  ) {
    let length = 37
    let data = data(count, length: length)
    var parity: [UInt8] = []
    code.encode(
      data, count: count, length: length, parityCount: parityCount, into: &parity)
    #expect(parity.count == parityCount * length)
    var patterns = 0
    for lost in 1..<(1 << count) {
      let missing = (0..<count).filter { lost >> $0 & 1 == 1 }
      guard missing.count <= parityCount else { continue }
      for come in 1..<(1 << parityCount) {
        let numbers = (0..<parityCount).filter { come >> $0 & 1 == 1 }
        guard numbers.count == missing.count else { continue }
        let whole = rebuilt(
          data, count: count, length: length, parity: parity, missing: missing,
          numbers: numbers.reversed())
        #expect(whole == data, "lost \(missing), from \(numbers)")
        patterns += 1
      }
    }
    #expect(patterns > 0)
  }

  @Test(arguments: [(64, 64, 1_130), (64, 3, 3), (1, 40, 1_000), (190, 65, 16)])
  func `large blocks and odd lengths are mended too`(count: Int, parityCount: Int, length: Int) {
    let data = data(count, length: length, seed: 7)
    var parity: [UInt8] = []
    code.encode(
      data, count: count, length: length, parityCount: parityCount, into: &parity)
    var random = SeededRandom(seed: 9)
    for _ in 0..<20 {
      let gaps = Int.random(in: 1...min(count, parityCount), using: &random)
      let missing = Array((0..<count).shuffled(using: &random).prefix(gaps))
      let numbers = Array((0..<parityCount).shuffled(using: &random).prefix(gaps))
      let whole = rebuilt(
        data, count: count, length: length, parity: parity, missing: missing, numbers: numbers)
      #expect(whole == data)
    }
  }

  @Test func `a shard's parity does not depend on how many others are made`() {
    let data = data(5, length: 50)
    var one: [UInt8] = []
    var many: [UInt8] = []
    code.encode(data, count: 5, length: 50, parityCount: 1, into: &one)
    code.encode(data, count: 5, length: 50, parityCount: 6, into: &many)
    #expect(Array(many.prefix(50)) == one)
  }
}
