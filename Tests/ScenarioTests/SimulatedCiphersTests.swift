import Ciphers
import Simulation
import Testing
import Units

@Suite struct SimulatedCiphersTests {
  private let suite = SimulatedCipherSuite(seed: 1)

  @Test func `the same seed draws the same bytes and another seed others`() {
    let first = SimulatedCipherSuite(seed: 7).randomBytes(32)
    #expect(first == SimulatedCipherSuite(seed: 7).randomBytes(32))
    #expect(first != SimulatedCipherSuite(seed: 8).randomBytes(32))
  }

  @Test func `a digest differs with every single bit of its input`() {
    let message = suite.randomBytes(61)
    let digest = suite.sha256(message)
    #expect(digest.count == 32)
    for bit in 0..<message.count * 8 {
      var altered = message
      altered[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(suite.sha256(altered) != digest)
    }
    #expect(suite.sha256(message + [0]) != digest)
  }

  @Test func `a shorter expansion is the beginning of a longer one`() {
    let key = suite.randomBytes(32)
    let long = suite.hkdfExpand(key: key, info: [1, 2], count: 80)
    #expect(long.count == 80)
    #expect(Array(long.prefix(32)) == suite.hkdfExpand(key: key, info: [1, 2], count: 32))
    #expect(long != suite.hkdfExpand(key: key, info: [1, 3], count: 80))
  }

  @Test func `a seal opens with its key only, and not once anything was altered`() {
    let key = suite.randomBytes(32)
    let nonce = suite.randomBytes(12)
    let plain = suite.randomBytes(37)
    let sealed = suite.seal(plain, key: key, nonce: nonce, associatedData: [9])
    #expect(sealed.count == plain.count + 16)
    #expect(suite.open(sealed, key: key, nonce: nonce, associatedData: [9]) == plain)
    #expect(suite.open(sealed, key: key, nonce: nonce, associatedData: [8]) == nil)
    #expect(suite.open(sealed, key: nonce, nonce: nonce, associatedData: [9]) == nil)
    #expect(suite.open([1, 2, 3], key: key, nonce: nonce, associatedData: [9]) == nil)
    for index in sealed.indices {
      var altered = sealed
      altered[index] ^= 0x40
      #expect(suite.open(altered, key: key, nonce: nonce, associatedData: [9]) == nil)
    }
  }

  @Test func `a ciphertext does not show its plaintext`() {
    let plain = [UInt8](repeating: 0x41, count: 64)
    let sealed = suite.seal(plain, key: [1], nonce: [2], associatedData: [])
    #expect(sealed.prefix(64).count { $0 == 0x41 } < 8)
  }

  @Test func `an admission signature holds for its message and key alone`() {
    let seed = suite.randomBytes(32)
    let publicKey = suite.admissionPublicKey(seed: seed)
    let signature = suite.admissionSignature(of: [1, 2, 3], seed: seed)
    #expect(publicKey.count == 32 && signature.count == 64 && publicKey != seed)
    #expect(suite.verifyAdmission(signature, of: [1, 2, 3], publicKey: publicKey))
    #expect(!suite.verifyAdmission(signature, of: [1, 2, 4], publicKey: publicKey))
    let other = suite.admissionPublicKey(seed: suite.randomBytes(32))
    #expect(!suite.verifyAdmission(signature, of: [1, 2, 3], publicKey: other))
    #expect(!suite.verifyAdmission([], of: [1, 2, 3], publicKey: publicKey))
    #expect(!suite.verifyAdmission(signature, of: [1, 2, 3], publicKey: [1]))
    // Signing with what everyone knows does not pass for the owner.
    let forged = suite.admissionSignature(of: [1, 2, 3], seed: publicKey)
    #expect(!suite.verifyAdmission(forged, of: [1, 2, 3], publicKey: publicKey))
  }

  @Test func `an identity's certificate yields its key and the key verifies its signatures`() {
    let identity = SimulatedIdentity(seed: 5)
    let info = suite.publicKeyInfo(ofCertificate: identity.certificateChain[0])
    #expect(info == identity.publicKeyInfo)
    #expect(identity.keyHash == suite.sha256(identity.publicKeyInfo))
    let signature = identity.signature(of: [1])
    #expect(suite.verifyIdentity(signature, of: [1], publicKeyInfo: identity.publicKeyInfo))
    #expect(!suite.verifyIdentity(signature, of: [2], publicKeyInfo: identity.publicKeyInfo))
    let other = SimulatedIdentity(seed: 6)
    #expect(!suite.verifyIdentity(signature, of: [1], publicKeyInfo: other.publicKeyInfo))
    #expect(suite.publicKeyInfo(ofCertificate: Array("not a certificate".utf8)) == nil)
    #expect(!suite.verifyIdentity(signature, of: [1], publicKeyInfo: [0x30, 0x59]))
  }

  @Test func `scrypt refuses the memory that the real one refuses`() {
    let salt: [UInt8] = [1]
    #expect(suite.scrypt(password: [1], salt: salt, n: 1 << 16, r: 8, p: 1)?.count == 32)
    #expect(suite.scrypt(password: [1], salt: salt, n: 1 << 18, r: 8, p: 1) == nil)
  }
}
