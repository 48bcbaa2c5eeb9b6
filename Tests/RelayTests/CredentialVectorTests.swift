import Encryption
import Rooms
import Testing
import Units
import Wire

/// Values that others have computed.
@Suite struct CredentialVectorTests {
  private let ciphers = OpenSSLCipherSuite()
  private let transaction: [UInt8] = [
    0x78, 0xAD, 0x34, 0x33, 0xC6, 0xAD, 0x72, 0xC0, 0x29, 0xDA, 0x41, 0x2E,
  ]
  private let name = Array("マトリックス".utf8)
  /// The password after SASLprep, or OpaqueString.
  private let joined = Array("マトリックス:example.org:TheMatrIX".utf8)

  private func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// RFC 5769 §2.4, with its erratum's name.
  @Test func `a request with a long-term credential is signed as in RFC 5769`() throws {
    var request = StunMessage(
      .request, transactionID: transaction,
      attributes: [
        .username(name), .nonce(Array("f//499k954d6OL34oL9FSTvy64sA".utf8)),
        .realm(Array("example.org".utf8)),
      ])
    request.hasFingerprint = false
    let signed = request.signed { ciphers.hmacSHA1(key: ciphers.md5(joined), $0) }
    #expect(hex(try #require(signed.integrity)) == "f67024656dd64a3e02b8e0712e85c9a28ca89666")
    #expect(signed.encoded.count == 116)
    let received = try StunMessage.Received(signed.encoded)
    #expect(ciphers.hmacSHA1(key: ciphers.md5(joined), received.covered) == signed.integrity)
  }

  /// RFC 8489 appendix B.1 with erratum 6268.
  @Test func `a request with a hashed name is signed as in RFC 8489`() throws {
    let hash = ciphers.sha256(name + Array(":example.org".utf8))
    #expect(hex(hash) == "4a3cf38fef6992bda952c6780417da0f24819415569e60b205c46e41407f1704")
    var request = StunMessage(
      .request, transactionID: transaction,
      attributes: [
        .userHash(hash), .nonce(Array("obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA".utf8)),
        .realm(Array("example.org".utf8)), .passwordAlgorithm(.sha256),
      ])
    request.hasFingerprint = false
    let key = ciphers.sha256(joined)
    let signed = request.signed(by: .sha256) { ciphers.hmacSHA256(key: key, $0) }
    #expect(
      hex(try #require(signed.integrity))
        == "b5c7bf005b6c52a21c51c5e892f81924136296cb927c43149309278cc6518e65")
    #expect(Array(signed.encoded[2..<4]) == [0, 0x90])
    let received = try StunMessage.Received(signed.encoded)
    #expect(ciphers.hmacSHA256(key: key, received.covered) == signed.integrity)
  }

  @Test func `MD5 matches RFC 1321`() {
    #expect(hex(ciphers.md5([])) == "d41d8cd98f00b204e9800998ecf8427e")
    #expect(
      hex(ciphers.md5(Array("message digest".utf8))) == "f96b697d7cb7938d525a2f31aaf161d0")
  }

  /// `printf '1800000000:room' | openssl dgst -sha1 -hmac secret -binary | base64`, and so on.
  @Test(
    arguments: [
      ("room", 1_800_000_000, "secret", "1800000000:room", "zgmO4fsfhR7y8IitbWVWRxmUhZE="),
      ("", 0, "a long secret of the server", "0:", "CEjy9wxUiQt+3/b3Zc4GxNBavEQ="),
      (
        "p2pcall-" + String(repeating: "x", count: 300), 1_800_000_000, "secret",
        "1800000000:p2pcall-" + String(repeating: "x", count: 300),
        "TuJqxsvbC/mAJlr3DiQypar8qig="
      ),
    ])
  func `minted credentials are those that openssl gives`(
    name: String, expiry: Int64, secret: String, username: String, password: String
  ) {
    let minted = TurnCredentials.minted(
      name: Array(name.utf8), expiry: expiry, secret: Array(secret.utf8), ciphers: ciphers)
    #expect(minted.username == Array(username.utf8))
    #expect(minted.password == Array(password.utf8))
  }

  @Test func `credentials that no server takes are refused`() {
    let long = [UInt8](repeating: 97, count: 509)
    #expect(TurnCredentials(username: [], password: [1]) == nil)
    #expect(TurnCredentials(username: [1], password: []) == nil)
    #expect(TurnCredentials(username: long, password: [1]) == nil)
    #expect(TurnCredentials(username: [1], password: long) == nil)
    #expect(TurnCredentials(username: Array(long.dropLast()), password: [1]) != nil)
  }
}
