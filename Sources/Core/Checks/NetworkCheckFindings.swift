import Links
import Units
import Wire

/// What the parts of a check have seen, put together.
extension NetworkCheck {
  /// Whole once `.finished` was told.
  package var findings: NetworkFindings {
    var found = NetworkFindings()
    found.server = server ?? .silent
    found.serverTime = serverTime
    found.relays = relays.all.map(\.finding)
    found.v4 = findings(of: .v4)
    found.v6 = findings(of: .v6)
    return found
  }

  private func findings(of family: Family) -> FamilyFindings {
    var found = FamilyFindings()
    found.ownAddresses = configuration.ownAddresses.filter {
      Family($0) == family && !$0.isLoopback && !$0.isLinkLocal
    }
    let servers = configuration.servers.filter { Family($0.ip) == family }
    found.isServed = !servers.isEmpty
    found.isLoopback = found.isServed && servers.allSatisfy(\.ip.isLoopback)
    for socket in sockets(of: family) {
      func note(_ asked: SocketAddress, _ seen: SocketAddress) {
        found.sightings.append(
          .init(socket: socket.id, port: socket.port, asked: asked, seen: seen))
      }
      for question in questions where question.path.socket == socket.id {
        guard let answer = question.answer else { continue }
        note(question.path.remote, answer.seen)
        found.roundTrip = min(found.roundTrip ?? answer.roundTrip, answer.roundTrip)
      }
      for trial in relays.all where trial.path?.socket == socket.id {
        if let mapped = trial.mapped { note(trial.server.address, mapped) }
      }
      if let way = ways[family], way.socket == socket.id, let seen = way.seen {
        note(way.relayed, seen)
      }
    }
    let asked = questions.filter { Family($0.path.remote.ip) == family }
    if asked.allSatisfy({ $0.answer == nil }) {
      found.bounce = asked.lazy.compactMap(\.bounce).first
    }
    found.hairpins = hairpins[family]?.hasSucceeded
    found.filtering = ways[family]?.filtering ?? .unknown
    return found
  }
}
