/// Where a rendezvous server listens: `HOST[:PORT]`, an IPv6 address in brackets.
package struct ServerAddress: Hashable, Sendable, CustomStringConvertible {
  package static let defaultPort: UInt16 = 7_443
  package static let standard = ServerAddress(host: "localhost", port: defaultPort)

  /// A name or an address; an IPv6 address without its brackets.
  package var host: String
  package var port: UInt16

  package init(host: String, port: UInt16 = defaultPort) {
    self.host = host
    self.port = port
  }

  package init(text: String) throws(ServerAddressError) {
    if text.first == "[" {
      guard let end = text.firstIndex(of: "]") else { throw .unclosedBracket }
      let host = text[text.index(after: text.startIndex)..<end]
      guard !host.isEmpty, host.contains(":"), host.allSatisfy(Self.isAddressCharacter) else {
        throw .notAnAddress(String(host))
      }
      try self.init(host: host, rest: text[text.index(after: end)...])
      return
    }
    let host = text.prefix { $0 != ":" }
    guard !host.isEmpty else { throw .noHost }
    let rest = text.dropFirst(host.count)
    if rest.dropFirst().contains(":") { throw .needsBrackets(text) }
    guard host.count <= 253, host.allSatisfy(Self.isHostCharacter) else {
      throw .notAHost(String(host))
    }
    try self.init(host: host, rest: rest)
  }

  /// `rest` is empty or `:PORT`.
  private init(host: Substring, rest: Substring) throws(ServerAddressError) {
    self.host = String(host)
    if rest.isEmpty {
      port = Self.defaultPort
      return
    }
    let digits = rest.dropFirst()
    guard rest.first == ":", !digits.isEmpty, digits.allSatisfy({ ("0"..."9").contains($0) }),
      let port = UInt16(digits), port > 0
    else { throw .notAPort(String(digits)) }
    self.port = port
  }

  private static func isHostCharacter(_ character: Character) -> Bool {
    character.isASCII
      && (character.isLetter || character.isNumber || ["-", ".", "_"].contains(character))
  }
  private static func isAddressCharacter(_ character: Character) -> Bool {
    // A zone such as fe80::1%eth0 included.
    character.isHexDigit || [":", "."].contains(character) || isHostCharacter(character)
      || character == "%"
  }

  /// `host:port`, with brackets around an IPv6 address.
  package var description: String {
    host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }
}

package enum ServerAddressError: Error, Hashable, Sendable, CustomStringConvertible {
  case noHost
  case unclosedBracket
  case notAnAddress(String)
  case needsBrackets(String)
  case notAHost(String)
  case notAPort(String)

  package var description: String {
    switch self {
    case .noHost: "the server's address has no host; write HOST or HOST:PORT"
    case .unclosedBracket: "the server's address has a bracket that is not closed; write [::1]:7443"
    case .notAnAddress(let text): "“\(text)” is not an IPv6 address; write one like [::1]:7443"
    case .needsBrackets(let text):
      "“\(text)” looks like an IPv6 address; put it in brackets, like [::1]:7443"
    case .notAHost(let text): "“\(text)” is not a host name; write one like call.example.org"
    case .notAPort(let text): "“\(text)” is not a port; write a number from 1 to 65535"
    }
  }
}
