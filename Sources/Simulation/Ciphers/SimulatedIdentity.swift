import Ciphers
import Units

/// A SubjectPublicKeyInfo of P-256's length and header around a simulated public key.
enum SimulatedKeyInfo {
  /// RFC 5480's SEQUENCE { id-ecPublicKey, prime256v1, BIT STRING 04… }.
  private static let header: [UInt8] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A,
    0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
  ]

  /// 91 bytes: header, public key, and its hash where the point's second half would be.
  static func make(publicKey: [UInt8]) -> [UInt8] { header + publicKey + check(publicKey) }

  static func publicKey(in info: [UInt8]) -> [UInt8]? {
    guard info.count == header.count + 64, info.starts(with: header) else { return nil }
    let publicKey = Array(info[header.count..<header.count + 32])
    return info[(header.count + 32)...].elementsEqual(check(publicKey)) ? publicKey : nil
  }

  private static func check(_ publicKey: [UInt8]) -> [UInt8] {
    MixingHash.digest(0x504F_494E, publicKey)
  }
}

/// A certificate about as long as a real self-made one; it carries only its key.
enum SimulatedCertificate {
  private static let header: [UInt8] = Array("simulated certificate".utf8)
  private static let paddingBytes = 200

  static func make(publicKeyInfo: [UInt8]) -> [UInt8] {
    header + publicKeyInfo + [UInt8](repeating: 0x20, count: paddingBytes)
  }

  static func publicKeyInfo(in certificate: [UInt8]) -> [UInt8]? {
    guard certificate.starts(with: header),
      certificate.count == header.count + 91 + paddingBytes
    else { return nil }
    let info = Array(certificate[header.count..<header.count + 91])
    return SimulatedKeyInfo.publicKey(in: info) == nil ? nil : info
  }
}

/// A key pair with its certificate, made from a seed: an identity, or a process's link key.
package struct SimulatedIdentity: IdentityKey {
  package let publicKeyInfo: [UInt8]
  package let certificateChain: [[UInt8]]
  private let seed: [UInt8]

  package init(seed: UInt64) {
    var random = SeededRandom(seed: seed ^ 0x4944_454E_5449_5459)
    self.seed = random.bytes(32)
    publicKeyInfo = SimulatedKeyInfo.make(
      publicKey: SimulatedSignature.publicKey(seed: self.seed))
    certificateChain = [SimulatedCertificate.make(publicKeyInfo: publicKeyInfo)]
  }

  /// What a simulated suite's SHA-256 makes of the key: the PeerID, or the link key's hash.
  package var keyHash: [UInt8] { SimulatedCipherSuite.digest(publicKeyInfo) }

  package func signature(of message: [UInt8]) -> [UInt8] {
    SimulatedSignature.signature(of: message, seed: seed)
  }
}
