import Ciphers
import Units

/// Deterministic stand-ins for cryptography: different inputs give different outputs, and that is
/// all that these tests need.
final class FakeCiphers: CipherSuite, @unchecked Sendable {
  private var random: SeededRandom

  init(seed: UInt64) { random = SeededRandom(seed: seed) }

  func randomBytes(_ count: Int) -> [UInt8] { random.bytes(count) }
  func sha256(_ data: [UInt8]) -> [UInt8] { Self.digest(data) }
  func hmacSHA256(key: [UInt8], _ data: [UInt8]) -> [UInt8] {
    Self.digest(Self.digest(key) + data)
  }
  func hmacSHA1(key: [UInt8], _ data: [UInt8]) -> [UInt8] {
    Array(hmacSHA256(key: key, data)[..<20])
  }
  func md5(_ data: [UInt8]) -> [UInt8] { Array(Self.digest(data)[..<16]) }
  func hkdfExtract(salt: [UInt8], keyMaterial: [UInt8]) -> [UInt8] {
    hmacSHA256(key: salt, keyMaterial)
  }
  func hkdfExpand(key: [UInt8], info: [UInt8], count: Int) -> [UInt8] {
    Array(hmacSHA256(key: key, info).prefix(count))
  }
  func scrypt(password: [UInt8], salt: [UInt8], n: Int, r: Int, p: Int) -> [UInt8]? { nil }
  func seal(
    _ plaintext: [UInt8], key: [UInt8], nonce: [UInt8], associatedData: [UInt8]
  ) -> [UInt8] { plaintext }
  func open(_ sealed: [UInt8], key: [UInt8], nonce: [UInt8], associatedData: [UInt8]) -> [UInt8]? {
    sealed
  }
  func admissionPublicKey(seed: [UInt8]) -> [UInt8] { seed }
  func admissionSignature(of message: [UInt8], seed: [UInt8]) -> [UInt8] { [] }
  func verifyAdmission(_ signature: [UInt8], of message: [UInt8], publicKey: [UInt8]) -> Bool {
    false
  }
  func verifyIdentity(_ signature: [UInt8], of message: [UInt8], publicKeyInfo: [UInt8]) -> Bool {
    signature == Self.digest(publicKeyInfo + message)
  }
  func publicKeyInfo(ofCertificate certificate: [UInt8]) -> [UInt8]? {
    certificate.first == 0x30 ? Array(certificate.dropFirst()) : nil
  }
  func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool { left == right }

  /// 32 bytes: four lanes of FNV-1a with an avalanche at the end.
  static func digest(_ data: [UInt8]) -> [UInt8] {
    (0..<4).flatMap { lane -> [UInt8] in
      var hash: UInt64 = 0xCBF2_9CE4_8422_2325 &+ UInt64(lane) &* 0x9E37_79B9_7F4A_7C15
      for byte in data { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
      hash = (hash ^ (hash >> 33)) &* 0xFF51_AFD7_ED55_8CCD
      hash ^= hash >> 33
      return (0..<8).map { UInt8(truncatingIfNeeded: hash >> (8 * $0)) }
    }
  }
}

struct FakeIdentity: IdentityKey {
  let publicKeyInfo: [UInt8]
  /// A signature over something else than it should be.
  var isForged = false
  /// Certificates of those who vouch for the leaf.
  var issuers: [[UInt8]] = []
  var certificateChain: [[UInt8]] { [[0x30] + publicKeyInfo] + issuers }
  func signature(of message: [UInt8]) -> [UInt8] {
    FakeCiphers.digest(publicKeyInfo + message + (isForged ? [0] : []))
  }
}
