/// What a handshake agreed on: from both randoms and the server's certificate, so that a man in the
/// middle with a certificate of his own gets two sessions whose exporters differ.
struct SessionKeys {
  /// Signed by the server.
  let serverTranscript: [UInt8]
  /// Each direction seals with its own.
  let clientSealingKey: [UInt8]
  let serverSealingKey: [UInt8]
  private let secret: [UInt8]

  init(clientRandom: [UInt8], serverRandom: [UInt8], serverCertificate: [UInt8]) {
    serverTranscript = MixingHash.digest(
      0x5452_414E, clientRandom, serverRandom, serverCertificate)
    secret = MixingHash.digest(0x5345_4352, serverTranscript)
    clientSealingKey = MixingHash.digest(0x4B45_5943, secret)
    serverSealingKey = MixingHash.digest(0x4B45_5953, secret)
  }

  /// Signed by the client.
  func clientTranscript(certificate: [UInt8]) -> [UInt8] {
    MixingHash.digest(0x434C_4945, serverTranscript, certificate)
  }

  func check(by role: String, certificate: [UInt8]) -> [UInt8] {
    MixingHash.digest(0x4649_4E49, secret, Array(role.utf8), certificate, count: 16)
  }

  func exporter(label: String, count: Int) -> [UInt8] {
    MixingHash.digest(0x4558_504F, secret, Array(label.utf8), count: count)
  }
}
