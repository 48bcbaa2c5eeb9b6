/// Signatures without public-key mathematics: a public key is its seed under a permutation that
/// only this file can turn back, so that a verifier recomputes the signature from the public key.
///
/// Whoever has only the public key and plays by the roles can't sign; an altered message, key or
/// signature fails.
enum SimulatedSignature {
  /// 32 bytes for a seed of 32.
  static func publicKey(seed: [UInt8]) -> [UInt8] { permuted(seed, rounds: Array(0..<4)) }

  static func signature(of message: [UInt8], seed: [UInt8], count: Int = 64) -> [UInt8] {
    MixingHash.digest(0x5349_474E, seed, message, count: count)
  }

  static func verify(_ signature: [UInt8], of message: [UInt8], publicKey: [UInt8]) -> Bool {
    guard publicKey.count == 32, signature.count == 64 else { return false }
    let seed = permuted(publicKey, rounds: Array((0..<4).reversed()))
    return signature == self.signature(of: message, seed: seed)
  }

  /// A Feistel network over two halves of 16 bytes: its own inverse with the rounds reversed.
  private static func permuted(_ block: [UInt8], rounds: [UInt8]) -> [UInt8] {
    precondition(block.count == 32, "seeds and public keys have 32 bytes")
    var left = Array(block[..<16])
    var right = Array(block[16...])
    for round in rounds {
      let mask = MixingHash.digest(0x4645_4953, [round], right, count: 16)
      let next = zip(left, mask).map { $0 ^ $1 }
      left = right
      right = next
    }
    return right + left
  }
}
