import Ciphers
import Synchronization
import Units

/// A seeded stand-in for OpenSSL: the same seed draws the same random bytes, and everything that
/// authenticates really does, though by a mixing hash instead of cryptography.
package final class SimulatedCipherSuite: CipherSuite {
  private let random: Mutex<SeededRandom>

  package init(seed: UInt64) { random = Mutex(SeededRandom(seed: seed)) }

  package func randomBytes(_ count: Int) -> [UInt8] { random.withLock { $0.bytes(count) } }

  package func sha256(_ data: [UInt8]) -> [UInt8] { Self.digest(data) }

  /// What every simulated suite calls SHA-256.
  static func digest(_ data: [UInt8]) -> [UInt8] { MixingHash.digest(0x5348_4132, data) }

  package func hmacSHA256(key: [UInt8], _ data: [UInt8]) -> [UInt8] {
    MixingHash.digest(0x484D_4143, key, data)
  }

  package func hmacSHA1(key: [UInt8], _ data: [UInt8]) -> [UInt8] {
    MixingHash.digest(0x484D_5348, key, data, count: 20)
  }

  package func md5(_ data: [UInt8]) -> [UInt8] { MixingHash.digest(0x4D44_3520, data, count: 16) }

  package func hkdfExtract(salt: [UInt8], keyMaterial: [UInt8]) -> [UInt8] {
    hmacSHA256(key: salt, keyMaterial)
  }

  package func hkdfExpand(key: [UInt8], info: [UInt8], count: Int) -> [UInt8] {
    precondition(count <= 8_160, "RFC 5869 §2.3 ends at 255 blocks")
    var result: [UInt8] = []
    var counter: UInt8 = 0
    while result.count < count {
      counter &+= 1
      result += MixingHash.digest(0x484B_4446, key, info, [counter])
    }
    return Array(result.prefix(count))
  }

  /// Refuses what would need more than 128 MiB, as the real one is set to.
  package func scrypt(password: [UInt8], salt: [UInt8], n: Int, r: Int, p: Int) -> [UInt8]? {
    guard n > 1, r > 0, p > 0, n <= 1 << 20, 128 * n * r <= 128 << 20 else { return nil }
    var hash = MixingHash(domain: 0x5343_5259)
    hash.absorb(password)
    hash.absorb(salt)
    for cost in [n, r, p] { hash.absorb(UInt64(cost)) }
    return hash.bytes(32)
  }

  package func seal(
    _ plaintext: [UInt8], key: [UInt8], nonce: [UInt8], associatedData: [UInt8]
  ) -> [UInt8] {
    SimulatedSeal.seal(plaintext, key: key, nonce: nonce, associatedData: associatedData)
  }

  package func open(
    _ sealed: [UInt8], key: [UInt8], nonce: [UInt8], associatedData: [UInt8]
  ) -> [UInt8]? {
    SimulatedSeal.open(sealed[...], key: key, nonce: nonce, associatedData: associatedData)
  }

  package func admissionPublicKey(seed: [UInt8]) -> [UInt8] {
    SimulatedSignature.publicKey(seed: seed)
  }

  package func admissionSignature(of message: [UInt8], seed: [UInt8]) -> [UInt8] {
    SimulatedSignature.signature(of: message, seed: seed)
  }

  package func verifyAdmission(
    _ signature: [UInt8], of message: [UInt8], publicKey: [UInt8]
  ) -> Bool {
    SimulatedSignature.verify(signature, of: message, publicKey: publicKey)
  }

  package func verifyIdentity(
    _ signature: [UInt8], of message: [UInt8], publicKeyInfo: [UInt8]
  ) -> Bool {
    guard let publicKey = SimulatedKeyInfo.publicKey(in: publicKeyInfo) else { return false }
    return SimulatedSignature.verify(signature, of: message, publicKey: publicKey)
  }

  package func publicKeyInfo(ofCertificate certificate: [UInt8]) -> [UInt8]? {
    SimulatedCertificate.publicKeyInfo(in: certificate)
  }

  package func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool { left == right }
}
