import COpenSSL
import Ciphers

/// Core's primitives by OpenSSL 3.0. A failure of the library itself (no entropy, no memory) traps:
/// there is nothing safe to go on with.
package struct OpenSSLCipherSuite: CipherSuite {
  package init() {}

  package func randomBytes(_ count: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
      precondition(RAND_bytes(buffer.baseAddress, Int32(count)) == 1, "no entropy")
      used = count
    }
  }

  package func sha256(_ data: [UInt8]) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: 32) { buffer, used in
      _ = SHA256(data, data.count, buffer.baseAddress)
      used = 32
    }
  }

  package func hmacSHA256(key: [UInt8], _ data: [UInt8]) -> [UInt8] {
    hmac(EVP_sha256(), 32, key: key, data)
  }
  package func hmacSHA1(key: [UInt8], _ data: [UInt8]) -> [UInt8] {
    hmac(EVP_sha1(), 20, key: key, data)
  }
  private func hmac(_ hash: OpaquePointer, _ size: Int, key: [UInt8], _ data: [UInt8]) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: size) { buffer, used in
      let done = HMAC(hash, key, Int32(key.count), data, data.count, buffer.baseAddress, nil)
      precondition(done != nil, "HMAC failed: \(ErrorQueue.drain())")
      used = size
    }
  }
  package func md5(_ data: [UInt8]) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: 16) { buffer, used in
      let done = EVP_Digest(data, data.count, buffer.baseAddress, nil, EVP_md5(), nil)
      precondition(done == 1, "MD5 failed: \(ErrorQueue.drain())")
      used = 16
    }
  }

  package func hkdfExtract(salt: [UInt8], keyMaterial: [UInt8]) -> [UInt8] {
    hmacSHA256(key: salt, keyMaterial)
  }
  package func hkdfExpand(key: [UInt8], info: [UInt8], count: Int) -> [UInt8] {
    precondition(count <= 255 * 32, "RFC 5869 §2.3")
    var output: [UInt8] = []
    var block: [UInt8] = []
    var number: UInt8 = 1
    while output.count < count {
      block = hmacSHA256(key: key, block + info + [number])
      output += block
      number &+= 1
    }
    return Array(output.prefix(count))
  }

  package func scrypt(password: [UInt8], salt: [UInt8], n: Int, r: Int, p: Int) -> [UInt8]? {
    ErrorQueue.clear()
    // The default ceiling of 32 MiB refuses N ≥ 2^15 with r = 8.
    let maximumMemory: UInt64 = 128 << 20
    var output = [UInt8](repeating: 0, count: 32)
    let done = password.withUnsafeBytes { password in
      EVP_PBE_scrypt(
        password.baseAddress?.assumingMemoryBound(to: CChar.self), password.count,
        salt, salt.count, UInt64(n), UInt64(r), UInt64(p), maximumMemory, &output, 32)
    }
    if done == 1 { return output }
    ErrorQueue.clear()
    return nil
  }

  package func seal(
    _ plaintext: [UInt8], key: [UInt8], nonce: [UInt8], associatedData: [UInt8]
  ) -> [UInt8] {
    precondition(key.count == 32 && nonce.count == 12)
    let context = EVP_CIPHER_CTX_new()!
    defer { EVP_CIPHER_CTX_free(context) }
    var output = [UInt8](repeating: 0, count: plaintext.count + 16)
    var written: Int32 = 0
    var done = EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce) == 1
    if !associatedData.isEmpty {
      done =
        done
        && EVP_EncryptUpdate(context, nil, &written, associatedData, Int32(associatedData.count))
          == 1
    }
    done =
      done && EVP_EncryptUpdate(context, &output, &written, plaintext, Int32(plaintext.count)) == 1
    var tail = [UInt8](repeating: 0, count: 16)
    done = done && EVP_EncryptFinal_ex(context, &tail, &written) == 1
    done = done && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, &tail) == 1
    precondition(done, "AES-256-GCM failed: \(ErrorQueue.drain())")
    output.replaceSubrange(plaintext.count..., with: tail)
    return output
  }

  package func open(
    _ sealed: [UInt8], key: [UInt8], nonce: [UInt8], associatedData: [UInt8]
  ) -> [UInt8]? {
    precondition(key.count == 32 && nonce.count == 12)
    guard sealed.count >= 16 else { return nil }
    ErrorQueue.clear()
    let context = EVP_CIPHER_CTX_new()!
    defer { EVP_CIPHER_CTX_free(context) }
    let length = sealed.count - 16
    var tag = Array(sealed[length...])
    // One byte more than the plaintext, so that the pointer exists for an empty one.
    var output = [UInt8](repeating: 0, count: length + 1)
    var written: Int32 = 0
    var done = EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce) == 1
    if !associatedData.isEmpty {
      done =
        done
        && EVP_DecryptUpdate(context, nil, &written, associatedData, Int32(associatedData.count))
          == 1
    }
    done = done && EVP_DecryptUpdate(context, &output, &written, sealed, Int32(length)) == 1
    done = done && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16, &tag) == 1
    precondition(done, "AES-256-GCM failed: \(ErrorQueue.drain())")
    guard EVP_DecryptFinal_ex(context, &tag, &written) == 1 else {
      ErrorQueue.clear()
      return nil
    }
    output.removeLast()
    return output
  }

  package func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    left.count == right.count && CRYPTO_memcmp(left, right, left.count) == 0
  }
}

extension OpenSSLCipherSuite {
  package func admissionPublicKey(seed: [UInt8]) -> [UInt8] {
    withAdmissionKey(seed) { key in
      var count = 32
      return [UInt8](unsafeUninitializedCapacity: 32) { buffer, used in
        precondition(EVP_PKEY_get_raw_public_key(key, buffer.baseAddress, &count) == 1)
        used = count
      }
    }
  }

  package func admissionSignature(of message: [UInt8], seed: [UInt8]) -> [UInt8] {
    withAdmissionKey(seed) { sign(message, with: $0, hash: nil) }
  }

  private func withAdmissionKey<Result>(
    _ seed: [UInt8], _ body: (OpaquePointer) -> Result
  ) -> Result {
    precondition(seed.count == 32, "RFC 8032 §5.1.5")
    let key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, seed, 32)!
    defer { EVP_PKEY_free(key) }
    return body(key)
  }

  package func verifyAdmission(
    _ signature: [UInt8], of message: [UInt8], publicKey: [UInt8]
  ) -> Bool {
    ErrorQueue.clear()
    defer { ErrorQueue.clear() }
    guard publicKey.count == 32, signature.count == 64,
      let key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, publicKey, 32)
    else { return false }
    defer { EVP_PKEY_free(key) }
    return isValid(signature, of: message, by: key, hash: nil)
  }

  package func verifyIdentity(
    _ signature: [UInt8], of message: [UInt8], publicKeyInfo: [UInt8]
  ) -> Bool {
    ErrorQueue.clear()
    defer { ErrorQueue.clear() }
    guard P256.isPublicKeyInfo(publicKeyInfo) else { return false }
    let key = publicKeyInfo.withUnsafeBufferPointer { buffer in
      var cursor = buffer.baseAddress
      return d2i_PUBKEY(nil, &cursor, buffer.count)
    }
    guard let key else { return false }
    defer { EVP_PKEY_free(key) }
    return isValid(signature, of: message, by: key, hash: EVP_sha256())
  }

  package func publicKeyInfo(ofCertificate certificate: [UInt8]) -> [UInt8]? {
    Certificate(der: certificate)?.publicKeyInfo
  }

  private func isValid(
    _ signature: [UInt8], of message: [UInt8], by key: OpaquePointer, hash: OpaquePointer?
  ) -> Bool {
    let context = EVP_MD_CTX_new()!
    defer { EVP_MD_CTX_free(context) }
    return EVP_DigestVerifyInit(context, nil, hash, nil, key) == 1
      && EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
  }
}

/// A signature by `key`; with `hash`, of the message's hash.
func sign(_ message: [UInt8], with key: OpaquePointer, hash: OpaquePointer?) -> [UInt8] {
  let context = EVP_MD_CTX_new()!
  defer { EVP_MD_CTX_free(context) }
  var count = 128
  let signature = [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
    let done =
      EVP_DigestSignInit(context, nil, hash, nil, key) == 1
      && EVP_DigestSign(context, buffer.baseAddress, &count, message, message.count) == 1
    precondition(done, "signing failed: \(ErrorQueue.drain())")
    used = count
  }
  return signature
}
