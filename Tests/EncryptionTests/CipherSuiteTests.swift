import Encryption
import Testing
import Units

@Suite struct CipherSuiteTests {
  let suite = OpenSSLCipherSuite()

  @Test func `hashes match FIPS 180 and RFC 4231 vectors`() {
    #expect(
      hex(suite.sha256(Array("abc".utf8)))
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(
      hex(suite.sha256([]))
        == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    #expect(
      hex(suite.hmacSHA256(key: Array("Jefe".utf8), Array("what do ya want for nothing?".utf8)))
        == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    #expect(
      hex(suite.hmacSHA1(key: Array("Jefe".utf8), Array("what do ya want for nothing?".utf8)))
        == "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79")
    #expect(suite.hmacSHA256(key: [], []).count == 32)
  }

  @Test func `HKDF matches RFC 5869 A.1 and A.3`() {
    let material = [UInt8](repeating: 0x0B, count: 22)
    let first = suite.hkdfExtract(salt: bytes("000102030405060708090a0b0c"), keyMaterial: material)
    #expect(hex(first) == "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5")
    #expect(
      hex(suite.hkdfExpand(key: first, info: bytes("f0f1f2f3f4f5f6f7f8f9"), count: 42))
        == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865")
    let third = suite.hkdfExtract(salt: [], keyMaterial: material)
    #expect(
      hex(suite.hkdfExpand(key: third, info: [], count: 42))
        == "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8")
  }

  @Test func `scrypt matches RFC 7914 and has room for 64 MiB`() {
    #expect(
      suite.scrypt(
        password: Array("password".utf8), salt: Array("NaCl".utf8), n: 1_024, r: 8, p: 16
      ).map(hex)
        == "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162")
    #expect(suite.scrypt(password: [1], salt: [2], n: 65_536, r: 8, p: 1)?.count == 32)
    #expect(suite.scrypt(password: [1], salt: [2], n: 1 << 20, r: 8, p: 1) == nil)
  }

  @Test func `AES-256-GCM matches the GCM specification's case 16 and refuses every change`() {
    let key = bytes("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308")
    let nonce = bytes("cafebabefacedbaddecaf888")
    let text = bytes(
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        + "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39")
    let data = bytes("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    let sealed = suite.seal(text, key: key, nonce: nonce, associatedData: data)
    #expect(
      hex(sealed)
        == "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
        + "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
        + "76fc6ece0f4e1768cddf8853bb2d551b")
    #expect(suite.open(sealed, key: key, nonce: nonce, associatedData: data) == text)
    for index in sealed.indices {
      var altered = sealed
      altered[index] ^= 1
      #expect(suite.open(altered, key: key, nonce: nonce, associatedData: data) == nil)
    }
    #expect(suite.open(sealed, key: key, nonce: nonce, associatedData: []) == nil)
    #expect(
      suite.open(Array(sealed.prefix(15)), key: key, nonce: nonce, associatedData: data) == nil)
    let empty = suite.seal([], key: key, nonce: nonce, associatedData: [])
    #expect(empty.count == 16)
    #expect(suite.open(empty, key: key, nonce: nonce, associatedData: []) == [])
  }

  @Test func `Ed25519 matches RFC 8032 test 2`() {
    let seed = bytes("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    let key = suite.admissionPublicKey(seed: seed)
    #expect(hex(key) == "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    let signature = suite.admissionSignature(of: [0x72], seed: seed)
    #expect(
      hex(signature)
        == "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00")
    #expect(suite.verifyAdmission(signature, of: [0x72], publicKey: key))
    #expect(!suite.verifyAdmission(signature, of: [0x73], publicKey: key))
    #expect(!suite.verifyAdmission(Array(signature.dropLast()), of: [0x72], publicKey: key))
    #expect(!suite.verifyAdmission(signature, of: [0x72], publicKey: Array(key.dropLast())))
  }

  @Test func `an identity signs, and only its own key verifies`() {
    let identity = P256Identity.generate()
    let message = Array("a message".utf8)
    let signature = identity.signature(of: message)
    let key = identity.publicKeyInfo
    #expect(suite.verifyIdentity(signature, of: message, publicKeyInfo: key))
    #expect(!suite.verifyIdentity(signature, of: message + [0], publicKeyInfo: key))
    let other = P256Identity.generate().publicKeyInfo
    #expect(!suite.verifyIdentity(signature, of: message, publicKeyInfo: other))
    for index in key.indices {
      var altered = key
      altered[index] ^= 1
      #expect(!suite.verifyIdentity(signature, of: message, publicKeyInfo: altered))
    }
    #expect(!suite.verifyIdentity([], of: message, publicKeyInfo: key))
    #expect(!suite.verifyIdentity(signature, of: message, publicKeyInfo: []))
  }

  @Test func `comparison is by value and length`() {
    #expect(suite.equal([], []))
    #expect(suite.equal([1, 2], [1, 2]))
    #expect(!suite.equal([1, 2], [1, 3]))
    #expect(!suite.equal([1, 2], [1, 2, 3]))
  }

  @Test func `random bytes differ`() {
    #expect(suite.randomBytes(32).count == 32)
    #expect(suite.randomBytes(32) != suite.randomBytes(32))
    #expect(suite.randomBytes(0).isEmpty)
  }
}

func hex(_ bytes: [UInt8]) -> String {
  let digits = Array("0123456789abcdef")
  return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
}

func bytes(_ hex: String) -> [UInt8] {
  let digits = hex.compactMap(\.hexDigitValue)
  return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}
