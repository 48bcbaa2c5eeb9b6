import Units
package import Wire

/// Which ways to peers a call may take, whatever the carrier (`Transport`).
package enum Ways: String, Hashable, Sendable {
  case all
  /// Over no relay, of ours or theirs.
  case direct
  /// Over relays of ours alone: no peer learns an address of ours, or gets a packet from one.
  case relayed
}

/// Stands at the exits of a hub: with `Ways.relayed` nothing passes that tells a peer an address of
/// ours or goes from one to a peer. The parts behind it keep to that by themselves; what one of them
/// does wrong ends here and is counted.
///
/// There are two exits: what a `LinkHub` puts out, and descriptions on links, which leave encrypted.
package final class AddressShield {
  private let ways: Ways
  /// All that were ours at any time of the call.
  private var own: Set<IPAddress> = []
  /// Where the relays are that were granted last, and before that: addresses there are given back.
  private var relays: [[SocketAddress]] = []
  /// Candidates, packets and connections that did not pass.
  package private(set) var withheld = 0

  package init(_ ways: Ways) { self.ways = ways }

  package func note(_ endpoints: [LocalEndpoint]) {
    for endpoint in endpoints {
      switch endpoint {
      case .datagram(_, let address), .listener(let address): own.insert(address.ip)
      }
    }
  }

  package func note(_ grant: RelayGrant) {
    relays = [grant.servers.map(\.address)] + relays.prefix(1)
  }

  /// Those of them that a peer may be told.
  package func tellable(_ candidates: [Candidate]) -> [Candidate] {
    guard ways == .relayed else { return candidates }
    // A relay on this computer has an address of ours; it is not told either.
    let told = candidates.filter {
      $0.kind == .relayed && $0.transport == .udp && !own.contains($0.address.ip)
    }
    withheld += candidates.count - told.count
    return told
  }

  /// What may leave the hub of it; `nil` where that is nothing.
  package func pass(_ output: LinkHubOutput) -> LinkHubOutput? {
    guard ways == .relayed else { return output }
    let passes: Bool
    switch output {
    case .transmit(_, let address, let socket): passes = !socket.isRelayed && isRelay(address)
    case .dial(let stream, let address): passes = stream.isToRelay && isRelay(address)
    case .write(_, let stream): passes = stream.isToRelay
    case .describe(let session, var description):
      description.candidates = tellable(description.candidates)
      return .describe(session, description)
    case .hangUp, .proved, .selected, .roundTrip, .clock, .doubtful, .remapped, .silent,
      .lost, .received, .receivedReliable, .delivered, .refused, .handshakeFailed, .relayRefused,
      .closed:
      passes = true
    }
    guard passes else {
      withheld += 1
      return nil
    }
    return output
  }

  private func isRelay(_ address: SocketAddress) -> Bool {
    relays.contains { $0.contains(address) }
  }
}
