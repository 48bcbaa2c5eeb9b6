package import Units
import Wire

/// Tells whoever asks under which address he is seen (RFC 8489 §6.3.1, Binding without authentication). It
/// remembers nobody, and never answers with more bytes than it was asked with: a forged source gets no
/// more than the forger spent (docs/protocol.md, "STUN").
package enum StunResponder {
  /// The answer to a datagram; `nil` for whatever is no such question, or too short for its answer.
  package static func answer(to question: [UInt8], from source: SocketAddress) -> [UInt8]? {
    guard StunMessage.isStun(question), let received = try? StunMessage.Received(question) else {
      return nil
    }
    let request = received.message
    guard request.kind == .request, request.method == .binding else { return nil }
    let unknown = request.attributes.compactMap(\.isUnknownAndRequired)
    var answer =
      unknown.isEmpty
      ? StunMessage(
        .success, transactionID: request.transactionID, attributes: [.xorMappedAddress(source)])
      : StunMessage(
        .error, transactionID: request.transactionID,
        attributes: [.errorCode(420, reason: []), .unknownAttributes(unknown)])
    answer.hasFingerprint = request.hasFingerprint
    let bytes = answer.encoded
    return bytes.count <= question.count ? bytes : nil
  }
}
