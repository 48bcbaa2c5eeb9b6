package import Wire

/// A TURN server as its operator names it (RFC 7065): `turn:HOST[:PORT]`, `turns:HOST[:PORT]`, with
/// `?transport=udp` or `?transport=tcp` where only that is meant.
package struct RelayURL: Hashable, Sendable {
  package var host: String
  package var port: UInt16
  /// In the order in which they are to be tried.
  package var carriers: [RelayServer.Carrier]

  /// How many an operator may name: each is two relays at most, one for each carrier.
  package static let limit = RelayGrant.serverLimit / 2

  package init(text: String) throws(RelayURLError) {
    let parts = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    let transport = parts.count > 1 ? String(parts[1]) : nil
    let scheme = parts[0].prefix { $0 != ":" }
    let place = String(parts[0].dropFirst(scheme.count + 1))
    let standardPort: UInt16
    switch (scheme, transport) {
    case ("turn", nil): (standardPort, carriers) = (3_478, [.udp, .tcp])
    case ("turn", "transport=udp"): (standardPort, carriers) = (3_478, [.udp])
    case ("turn", "transport=tcp"): (standardPort, carriers) = (3_478, [.tcp])
    case ("turns", nil), ("turns", "transport=tcp"): (standardPort, carriers) = (5_349, [.tls])
    case ("turn", _), ("turns", _): throw .transport(transport ?? "")
    default: throw .scheme(text)
    }
    do throws(ServerAddressError) {
      var address = try ServerAddress(text: place)
      let names = place.contains("]") ? place.drop { $0 != "]" } : place[...]
      if !names.contains(":") { address.port = standardPort }
      host = address.host
      port = address.port
    } catch {
      throw .address(error)
    }
  }
}

package enum RelayURLError: Error, Hashable, Sendable, CustomStringConvertible {
  case scheme(String)
  case transport(String)
  case address(ServerAddressError)

  package var description: String {
    switch self {
    case .scheme(let text):
      "“\(text)” names no TURN server; write one like turns:relay.example.org:443"
    case .transport(let text):
      "“?\(text)” is not a way to a relay; write ?transport=udp or ?transport=tcp, or leave it out"
    case .address(let error): "\(error)"
    }
  }
}
