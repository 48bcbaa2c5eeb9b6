/// xoshiro256**, seeded through SplitMix64 (Blackman and Vigna): the same seed gives the same run.
///
/// For simulation, jitter and test data; secrets come from `CipherSuite.randomBytes`.
public struct SeededRandom: RandomNumberGenerator, Sendable {
  private var state: (UInt64, UInt64, UInt64, UInt64)

  public init(seed: UInt64) {
    var mix = seed
    func next() -> UInt64 {
      mix &+= 0x9E37_79B9_7F4A_7C15
      var z = mix
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
    state = (next(), next(), next(), next())
  }

  public mutating func next() -> UInt64 {
    let scrambled = state.1 &* 5
    let result = ((scrambled << 7) | (scrambled >> 57)) &* 9
    let shifted = state.1 << 17
    state.2 ^= state.0
    state.3 ^= state.1
    state.1 ^= state.2
    state.0 ^= state.3
    state.2 ^= shifted
    state.3 = (state.3 << 45) | (state.3 >> 19)
    return result
  }

  /// Uniform in [0, 1).
  public mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }
  /// Gaussian of mean 0 and deviation 1 within ±6: the sum of twelve uniform draws, less its mean.
  public mutating func gaussian() -> Double {
    (0..<12).reduce(-6.0) { sum, _ in sum + unit() }
  }
  public mutating func chance(_ probability: Double) -> Bool { unit() < probability }
  public mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: next() >> 56) }
  }
  /// A generator of its own, so that one part's draws do not shift another's.
  public mutating func split() -> SeededRandom { SeededRandom(seed: next()) }
}
