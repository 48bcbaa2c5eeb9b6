import COpenSSL

/// The one form of public key that identities, links and owners have.
enum P256 {
  /// SubjectPublicKeyInfo of a named-curve P-256 key up to its point (RFC 5480 §2).
  private static let prefix: [UInt8] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A,
    0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
  ]

  /// Uncompressed and named, 91 bytes: one key has exactly one encoding, so one PeerID.
  static func isPublicKeyInfo(_ der: [UInt8]) -> Bool {
    der.count == 91 && der.starts(with: prefix)
  }
}

/// A private key in OpenSSL's hands; immutable once made.
final class PrivateKey: @unchecked Sendable {
  let pointer: OpaquePointer

  /// A new P-256 key.
  init() {
    guard let key = p2p_generate_P256() else {
      preconditionFailure("no P-256 key: \(ErrorQueue.drain())")
    }
    pointer = key
  }

  /// The first private key in a PEM text, of any kind, not protected by a passphrase.
  init(pem: [UInt8]) throws(CertificateError) {
    ErrorQueue.clear()
    defer { ErrorQueue.clear() }
    var wantsPassphrase = false
    let read = withReader(of: pem) { reader in
      // Without a callback of ours OpenSSL would ask on the terminal.
      PEM_read_bio_PrivateKey(
        reader, nil,
        { _, _, _, asked in
          asked?.assumingMemoryBound(to: Bool.self).pointee = true
          return -1
        }, &wantsPassphrase)
    }
    if wantsPassphrase { throw .keyProtected }
    guard let read else { throw .noKey }
    pointer = read
  }

  deinit { EVP_PKEY_free(pointer) }

  var publicKeyInfo: [UInt8] { encodedDER { i2d_PUBKEY(pointer, $0) } }
  /// PKCS#8 in PEM, unencrypted: the file's mode guards it.
  var pem: [UInt8] {
    writtenPEM { PEM_write_bio_PKCS8PrivateKey($0, pointer, nil, nil, 0, nil, nil) }
  }
  /// By a P-256 key: ECDSA with SHA-256, DER.
  func signature(of message: [UInt8]) -> [UInt8] {
    sign(message, with: pointer, hash: EVP_sha256())
  }
}
