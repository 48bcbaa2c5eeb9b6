/// A rendezvous server's name and port.
package struct ServerAddress: Hashable, Sendable, CustomStringConvertible {
  package var host: String
  package var port: UInt16

  package static let defaultPort: UInt16 = 7443
  package static let standard = ServerAddress(host: "localhost", port: defaultPort)

  package init(host: String, port: UInt16) {
    self.host = host
    self.port = port
  }

  /// `host`, `host:port`, `192.0.2.1:port`, `::1`, `[::1]` or `[::1]:port`.
  package init(parsing text: String) throws(UsageError) {
    let (host, port) = Self.split(text)
    guard Self.isHost(host) else {
      throw UsageError("takes HOST[:PORT]; write for example calls.example.org:7443")
    }
    guard let port else {
      self.init(host: host, port: Self.defaultPort)
      return
    }
    guard let number = UInt16(port), number > 0, !port.hasPrefix("+") else {
      throw UsageError("takes a port from 1 to 65535 after the colon; leave it out for 7443")
    }
    self.init(host: host, port: number)
  }

  private static func split(_ text: String) -> (host: String, port: String?) {
    if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
      let rest = text[text.index(after: end)...]
      let host = String(text[text.index(after: text.startIndex)..<end])
      if rest.isEmpty { return (host, nil) }
      return rest.hasPrefix(":") ? (host, String(rest.dropFirst())) : ("", nil)
    }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    // More than one colon without brackets is an IPv6 address alone.
    return parts.count == 2 ? (String(parts[0]), String(parts[1])) : (text, nil)
  }

  private static func isHost(_ text: String) -> Bool {
    (1...253).contains(text.utf8.count)
      && text.unicodeScalars.allSatisfy {
        $0.properties.isAlphabetic || "0123456789-._:%".unicodeScalars.contains($0)
      }
  }

  /// As it is typed: an IPv6 address in brackets.
  package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// What `join` is given: where the room id comes from. Its symbols are checked by Rooms.
package enum RoomArgument: Hashable, Sendable {
  /// Given as `ROOMID` or `ROOMID@host[:port]`.
  case text(RoomText)
  /// `-`: the first line of standard input.
  case standardInput
  /// Not given: asked for on the terminal.
  case prompt
}

/// A room id as it was typed, without and with the server it carries. The id is a secret: neither
/// description nor dump shows it.
package struct RoomText: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
  package let id: String
  package let server: ServerAddress?

  /// `ROOMID` or `ROOMID@host[:port]`; spaces and line ends around it are ignored.
  package init(parsing text: String) throws(UsageError) {
    let trimmed = String(
      text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    let parts = trimmed.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    guard let first = parts.first, !first.isEmpty else {
      throw UsageError("there is no room id; paste what p2pcall room create printed")
    }
    id = String(first)
    if parts.count == 2 {
      do { server = try ServerAddress(parsing: String(parts[1])) } catch {
        throw UsageError("the part after @ in the room id \(error)")
      }
    } else {
      server = nil
    }
  }

  package var description: String { "(room id)" }
  package var customMirror: Mirror { Mirror(self, children: []) }
}
