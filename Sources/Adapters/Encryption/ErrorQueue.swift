import COpenSSL

/// OpenSSL's error queue of this thread: cleared before each call that may fail, drained after it,
/// so that one session's failure is never read as another's.
enum ErrorQueue {
  static func clear() {
    // It is empty nearly always, and clearing visits all of its sixteen places: a tenth of what
    // OpenSSL does for a packet.
    if ERR_peek_error() != 0 { ERR_clear_error() }
  }

  /// The number of the alert that the other side sent, where that is the last that happened.
  static func peekAlert() -> Int32? {
    let code = ERR_peek_last_error()
    guard p2p_ERR_GET_LIB(code) == ERR_LIB_SSL else { return nil }
    let alert = p2p_ERR_GET_REASON(code) - SSL_AD_REASON_OFFSET
    return (0...255).contains(alert) ? alert : nil
  }

  /// Empties the queue and returns its reasons, oldest first.
  static func drain() -> String {
    var reasons: [String] = []
    while true {
      let code = ERR_get_error()
      guard code != 0 else { break }
      reasons.append(
        ERR_reason_error_string(code).map { String(cString: $0) } ?? "error \(code)")
    }
    return reasons.isEmpty ? "no reason given" : reasons.joined(separator: "; ")
  }
}

/// What an `i2d_*` function writes: asked for its length first, then for its bytes.
func encodedDER(
  _ encode: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32
) -> [UInt8] {
  let count = Int(encode(nil))
  guard count > 0 else { return [] }
  return [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
    var cursor = buffer.baseAddress
    used = max(0, Int(encode(&cursor)))
  }
}

/// What a `PEM_write_bio_*` function writes.
func writtenPEM(_ write: (OpaquePointer) -> Int32) -> [UInt8] {
  guard let memory = BIO_new(BIO_s_mem()) else { return [] }
  defer { BIO_free(memory) }
  guard write(memory) == 1 else { return [] }
  var start: UnsafeMutablePointer<CChar>?
  let count = p2p_BIO_get_mem_data(memory, &start)
  guard let start, count > 0 else { return [] }
  return UnsafeRawBufferPointer(start: start, count: count).map { $0 }
}

/// Runs `body` with a BIO that reads `bytes`.
func withReader<Result>(of bytes: [UInt8], _ body: (OpaquePointer) -> Result) -> Result {
  bytes.withUnsafeBufferPointer { buffer in
    let memory = BIO_new_mem_buf(buffer.baseAddress ?? .init(bitPattern: 1), Int32(buffer.count))!
    defer { BIO_free(memory) }
    return body(memory)
  }
}
