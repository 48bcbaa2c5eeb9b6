import CUnistring
import Rooms

/// Unicode normalisation and case folding by GNU libunistring.
package struct UnistringFolding: TextFolding {
  package init() {}

  package func composed(_ text: String) -> String {
    transformed(text) { input, count, length in
      u8_normalize(p2p_UNINORM_NFC(), input, count, nil, &length)
    }
  }

  package func folded(_ text: String) -> String {
    transformed(text) { input, count, length in
      u8_casefold(input, count, nil, p2p_UNINORM_NFKC(), nil, &length)
    }
  }

  /// Runs a function that returns memory of its own; what it refuses stays as it is.
  private func transformed(
    _ text: String,
    _ body: (UnsafePointer<UInt8>, Int, inout Int) -> UnsafeMutablePointer<UInt8>?
  ) -> String {
    let bytes = Array(text.utf8)
    if bytes.isEmpty { return text }
    var length = 0
    guard let output = body(bytes, bytes.count, &length) else { return text }
    defer { p2p_free(output) }
    return String(decoding: UnsafeBufferPointer(start: output, count: length), as: UTF8.self)
  }
}
