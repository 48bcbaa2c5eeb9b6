import Wire

/// The handshake in four flights; on a stream the cookie and the last flight fall away.
///
/// `clientHello` → (`cookieRequest` → `clientHello` with it) → `serverHello` → `clientFinish` →
/// (`serverFinish`). Server and client sign the transcript with their link keys, so a flight that
/// was altered on its way ends the handshake, as it does in OpenSSL.
enum HandshakeMessage: WireMessage {
  case clientHello(random: [UInt8], cookie: [UInt8])
  case cookieRequest(cookie: [UInt8])
  case serverHello(random: [UInt8], certificate: [UInt8], signature: [UInt8])
  case clientFinish(certificate: [UInt8], signature: [UInt8], check: [UInt8])
  case serverFinish(check: [UInt8])

  init(from reader: inout ByteReader) throws(WireError) {
    let number = try reader.u8()
    switch number {
    case 1:
      self = .clientHello(
        random: try reader.field("random", exactly: 32), cookie: try reader.field("cookie"))
    case 2: self = .cookieRequest(cookie: try reader.field("cookie"))
    case 3:
      self = .serverHello(
        random: try reader.field("random", exactly: 32),
        certificate: try reader.field("certificate"), signature: try reader.field("signature"))
    case 4:
      self = .clientFinish(
        certificate: try reader.field("certificate"), signature: try reader.field("signature"),
        check: try reader.field("check"))
    case 5: self = .serverFinish(check: try reader.field("check"))
    default: throw .invalid(field: "handshake message", found: UInt64(number))
    }
  }

  func write(to writer: inout ByteWriter) {
    switch self {
    case .clientHello(let random, let cookie):
      writer.u8(1)
      writer.field(random)
      writer.field(cookie)
    case .cookieRequest(let cookie):
      writer.u8(2)
      writer.field(cookie)
    case .serverHello(let random, let certificate, let signature):
      writer.u8(3)
      writer.field(random)
      writer.field(certificate)
      writer.field(signature)
    case .clientFinish(let certificate, let signature, let check):
      writer.u8(4)
      writer.field(certificate)
      writer.field(signature)
      writer.field(check)
    case .serverFinish(let check):
      writer.u8(5)
      writer.field(check)
    }
  }
}
