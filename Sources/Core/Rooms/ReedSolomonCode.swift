/// Three check symbols over GF(32) for up to 28 data symbols: one wrong symbol is located, two are
/// noticed. Field x⁵ + x² + 1, generator (x − α)(x − α²)(x − α³), first symbol the highest power.
enum ReedSolomonCode {
  static let checkCount = 3

  enum Finding: Equatable {
    case whole
    /// Exactly one symbol can be wrong: the one at this index.
    case wrong(at: Int)
    case broken
  }

  /// The check symbols that follow `data`; symbols are 0…31.
  static func checkSymbols(for data: [UInt8]) -> [UInt8] {
    var remainder = [UInt8](repeating: 0, count: checkCount)
    for symbol in data {
      let factor = symbol ^ remainder[0]
      for index in 0..<checkCount {
        let next = index + 1 < checkCount ? remainder[index + 1] : 0
        remainder[index] = next ^ product(factor, generator[index])
      }
    }
    return remainder
  }

  static func check(_ word: [UInt8]) -> Finding {
    let syndromes = (1...checkCount).map { power in
      word.reduce(UInt8(0)) { product($0, exponentials[power]) ^ $1 }
    }
    if syndromes.allSatisfy({ $0 == 0 }) { return .whole }
    guard syndromes.allSatisfy({ $0 != 0 }) else { return .broken }
    // One error e at power p gives e·αᵖ, e·α²ᵖ, e·α³ᵖ: a constant ratio αᵖ.
    let power = (logarithms[Int(syndromes[1])] - logarithms[Int(syndromes[0])] + 31) % 31
    let second = (logarithms[Int(syndromes[2])] - logarithms[Int(syndromes[1])] + 31) % 31
    guard power == second, power < word.count else { return .broken }
    return .wrong(at: word.count - 1 - power)
  }

  private static func product(_ left: UInt8, _ right: UInt8) -> UInt8 {
    if left == 0 || right == 0 { return 0 }
    return exponentials[(logarithms[Int(left)] + logarithms[Int(right)]) % 31]
  }

  /// α⁰…α³⁰, α = x.
  private static let exponentials: [UInt8] = {
    var power: UInt8 = 1
    return (0..<31).map { _ in
      defer {
        power <<= 1
        if power & 0x20 != 0 { power ^= 0b10_0101 }
      }
      return power
    }
  }()

  private static let logarithms: [Int] = {
    var table = [Int](repeating: 0, count: 32)
    for (exponent, value) in exponentials.enumerated() { table[Int(value)] = exponent }
    return table
  }()

  /// Coefficients of x², x and 1; the leading one is 1.
  private static let generator: [UInt8] = {
    var polynomial: [UInt8] = [1]
    for power in 1...checkCount {
      var next = polynomial + [0]
      for (index, coefficient) in polynomial.enumerated() {
        next[index + 1] ^= product(coefficient, exponentials[power])
      }
      polynomial = next
    }
    return Array(polynomial.dropFirst())
  }()
}
