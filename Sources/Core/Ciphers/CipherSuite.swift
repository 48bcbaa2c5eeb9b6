/// Every cryptographic primitive that Core uses; Encryption implements it with OpenSSL, Simulation
/// with a seeded stand-in. All values are raw bytes.
package protocol CipherSuite: Sendable {
  /// Bytes fit for keys and nonces.
  func randomBytes(_ count: Int) -> [UInt8]
  /// SHA-256, 32 bytes.
  func sha256(_ data: [UInt8]) -> [UInt8]
  /// HMAC-SHA256, 32 bytes (RFC 2104).
  func hmacSHA256(key: [UInt8], _ data: [UInt8]) -> [UInt8]
  /// HMAC-SHA1, 20 bytes: STUN's MESSAGE-INTEGRITY (RFC 8489 §14.5) and TURN credentials only.
  func hmacSHA1(key: [UInt8], _ data: [UInt8]) -> [UInt8]
  /// MD5, 16 bytes: keys of TURN credentials only, where the server asks for it (RFC 8489 §9.2.2).
  func md5(_ data: [UInt8]) -> [UInt8]
  /// HKDF-Extract with SHA-256 (RFC 5869 §2.2), 32 bytes.
  func hkdfExtract(salt: [UInt8], keyMaterial: [UInt8]) -> [UInt8]
  /// HKDF-Expand with SHA-256 (RFC 5869 §2.3); at most 8 160 bytes.
  func hkdfExpand(key: [UInt8], info: [UInt8], count: Int) -> [UInt8]
  /// scrypt (RFC 7914), 32 bytes; `nil` when the library refuses the cost.
  func scrypt(password: [UInt8], salt: [UInt8], n: Int, r: Int, p: Int) -> [UInt8]?
  /// AES-256-GCM: ciphertext followed by the 16-byte tag. Key 32 bytes, nonce 12.
  func seal(_ plaintext: [UInt8], key: [UInt8], nonce: [UInt8], associatedData: [UInt8]) -> [UInt8]
  /// The plaintext, or `nil` when anything was altered.
  func open(_ sealed: [UInt8], key: [UInt8], nonce: [UInt8], associatedData: [UInt8]) -> [UInt8]?
  /// Ed25519 public key (32 bytes) of a 32-byte seed (RFC 8032).
  func admissionPublicKey(seed: [UInt8]) -> [UInt8]
  /// Ed25519 signature, 64 bytes.
  func admissionSignature(of message: [UInt8], seed: [UInt8]) -> [UInt8]
  func verifyAdmission(_ signature: [UInt8], of message: [UInt8], publicKey: [UInt8]) -> Bool
  /// ECDSA P-256 with SHA-256, DER signature, by the key of a DER SubjectPublicKeyInfo; false for
  /// any key that is not P-256.
  func verifyIdentity(_ signature: [UInt8], of message: [UInt8], publicKeyInfo: [UInt8]) -> Bool
  /// The DER SubjectPublicKeyInfo of a DER certificate; `nil` if it does not parse.
  func publicKeyInfo(ofCertificate certificate: [UInt8]) -> [UInt8]?
  /// Compares without revealing by time where the difference is.
  func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool
}

/// A long-term identity: a P-256 key that never leaves its owner, and its certificate.
package protocol IdentityKey: Sendable {
  /// DER SubjectPublicKeyInfo; its SHA-256 is the PeerID.
  var publicKeyInfo: [UInt8] { get }
  /// DER certificates, leaf first.
  var certificateChain: [[UInt8]] { get }
  /// ECDSA P-256 with SHA-256, DER.
  func signature(of message: [UInt8]) -> [UInt8]
}
