/// The servers that this user has accepted, by address: docs/protocol.md "Client and server".
///
/// A value; Files keeps `text` in the file `known_servers`.
package struct KnownServers: Hashable, Sendable {
  package struct Entry: Hashable, Sendable {
    package let address: ServerAddress
    package var pin: KeyFingerprint
  }

  /// Ordered by address.
  package private(set) var entries: [Entry] = []
  /// Lines of the file that could not be read: kept for the user to correct.
  private var unreadable: [String] = []

  package init() {}

  package func pin(of address: ServerAddress) -> KeyFingerprint? {
    entries.first { Self.name($0.address) == Self.name(address) }?.pin
  }

  package mutating func remember(_ pin: KeyFingerprint, of address: ServerAddress) {
    entries.removeAll { Self.name($0.address) == Self.name(address) }
    let index = entries.firstIndex { Self.name(address) < Self.name($0.address) }
    entries.insert(Entry(address: address, pin: pin), at: index ?? entries.endIndex)
  }

  /// Host names have no case, and a dot at the end changes nothing.
  private static func name(_ address: ServerAddress) -> String {
    let host = address.host.lowercased()
    return ServerAddress(
      host: host.hasSuffix(".") ? String(host.dropLast()) : host, port: address.port
    ).description
  }

  /// One line a server: `host:port sha256:…`.
  package var text: String {
    "# p2pcall: servers accepted, by address.\n"
      + entries.map { "\(Self.name($0.address)) \($0.pin)\n" }.joined()
      + unreadable.map { "\($0)\n" }.joined()
  }

  /// Reads `text`; the numbers of lines that are not of that form, from 1, go to `refused`.
  package init(text: String, refused: inout [Int]) {
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      if line.isEmpty || line.first == "#" { continue }
      let parts = line.split(separator: " ")
      guard parts.count == 2, let address = try? ServerAddress(text: String(parts[0])),
        let pin = KeyFingerprint(text: String(parts[1]))
      else {
        refused.append(number + 1)
        unreadable.append(String(line))
        continue
      }
      remember(pin, of: address)
    }
  }
}
