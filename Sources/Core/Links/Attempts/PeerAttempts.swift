import Units
import Wire

/// What became of the ways to this peer.
extension PeerLinks {
  /// `refusal`: the code with which the relay behind a socket refuses an address.
  func attempts(refusal: (SocketID, IPAddress) -> Int?) -> AttemptReport {
    var report = AttemptReport()
    let all = datagramAttempts(refusal: refusal) + streamAttempts
    report.ways = Array(all.prefix(AttemptReport.wayLimit))
    report.omitted = all.count - report.ways.count
    report.transport = configuration.transport
    report.allowed = configuration.ways
    report.isDescribed = theirs != nil
    let told = theirs?.candidates.map(\.address.ip) ?? []
    report.hasTheirV4 = told.contains(where: \.isV4)
    report.hasTheirV6 = told.contains { !$0.isV4 }
    report.hasOwnV6 = ownCandidates.contains { !$0.address.ip.isV4 }
    return report
  }

  private func datagramAttempts(refusal: (SocketID, IPAddress) -> Int?) -> [Attempt] {
    datagrams.pairs.map { pair in
      let remote = pair.path.remote
      let local = ownBases.first {
        $0.0 == pair.path.socket && $0.1.address.ip.isV4 == remote.ip.isV4
      }
      let end: Attempt.End =
        if let code = refusal(pair.path.socket, remote.ip) {
          .refusedByRelay(code: code)
        } else if pair.lastResponse != nil {
          datagramFailure.map(Attempt.End.handshakeFailed) ?? .unproved
        } else {
          pair.checks > 0 ? .unanswered : .untried
        }
      return Attempt(
        carrier: .datagram, local: local?.1.address, isFromRelay: pair.path.socket.isRelayed,
        remote: remote, remoteKind: kind(of: remote, .udp), end: end)
    }
  }

  private var streamAttempts: [Attempt] {
    streams.dialAttempts.map { dial in
      let end: Attempt.End =
        switch dial.state {
        case .waiting: .untried
        case .dialing, .failed(.noAnswer): .unanswered
        case .connected: .unproved
        case .handshakeFailed(let failure): .handshakeFailed(failure)
        case .failed(.refused): .connectionRefused
        case .failed(.unreachable): .unreachable
        case .failed(.other): .connectionFailed
        }
      return Attempt(
        carrier: .stream, local: nil, isFromRelay: false, remote: dial.address,
        remoteKind: kind(of: dial.address, .tcp), end: end)
    }
  }

  private func kind(
    of address: SocketAddress, _ transport: Candidate.Transport
  ) -> Candidate.Kind? {
    theirs?.candidates.first { $0.address == address && $0.transport == transport }?.kind
  }
}
