import Links
import Units
import Wire

/// The members of `no-path`.
extension AttemptReport {
  func describe(in object: inout JSONObject) {
    object.add("described", isDescribed)
    object.add("tried", ways.map(\.json))
    object.add("omitted", omitted)
    object.add("relays", relays.map(\.json))
    object.add("udp_answered", isSeenOverUDP.map { $0 ? "yes" : "no" } ?? "unknown")
    object.add("transport", transport.rawValue)
    object.add("ways", allowed.rawValue)
    object.add("own_ipv6", hasOwnV6)
    object.add("their_ipv6", hasTheirV6)
  }
}

extension Attempt {
  fileprivate var json: JSONObject {
    var object = JSONObject()
    object.add("carrier", carrier == .datagram ? "udp" : "tcp")
    object.add("local", local?.description ?? "")
    object.add("from_relay", isFromRelay)
    object.add("remote", remote.description)
    object.add("remote_kind", remoteKind?.name ?? "peer-reflexive")
    object.add("result", end.name)
    if case .refusedByRelay(let code) = end { object.add("code", code) }
    return object
  }
}

extension RelayAttempt {
  fileprivate var json: JSONObject {
    var object = JSONObject()
    object.add("carrier", server.carrier.name)
    object.add("address", server.address.description)
    object.add("result", end.name)
    if case .failed(let failure) = end { object.add("message", failure.description) }
    return object
  }
}

extension Attempt.End {
  fileprivate var name: String {
    switch self {
    case .untried: "untried"
    case .unanswered: "unanswered"
    case .refusedByRelay: "refused-by-relay"
    case .connectionRefused: "refused"
    case .unreachable: "unreachable"
    case .connectionFailed: "failed"
    case .handshakeFailed(let failure): "handshake-\(failure.name)"
    case .unproved: "unproved"
    }
  }
}

extension HandshakeFailure {
  fileprivate var name: String {
    switch self {
    case .certificate: "certificate"
    case .proof: "proof"
    case .identity: "identity"
    case .session: "session"
    case .timedOut: "timed-out"
    }
  }
}

extension RelayAttempt.End {
  fileprivate var name: String {
    switch self {
    case .untried: "untried"
    case .asking: "asking"
    case .allocated: "allocated"
    case .failed: "failed"
    case .unconnected: "unconnected"
    }
  }
}

extension Candidate.Kind {
  fileprivate var name: String {
    switch self {
    case .host: "host"
    case .serverReflexive: "server-reflexive"
    case .relayed: "relayed"
    }
  }
}

extension RelayServer.Carrier {
  fileprivate var name: String {
    switch self {
    case .udp: "udp"
    case .tcp: "tcp"
    case .tls: "tls"
    }
  }
}
