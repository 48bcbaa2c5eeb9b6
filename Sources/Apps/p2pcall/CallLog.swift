import CallRuntime
import CommandLine
import Links

/// What `--log-level` adds on stderr to what everybody is told: `info` how it goes with the server
/// and what was dropped, `debug` the addresses too.
struct CallLog: Sendable {
  let level: LogLevel

  func note(_ notice: CallNotice) {
    guard notice.level <= level, let text = notice.text else { return }
    TextOutput.standardError.write(line: "p2pcall: \(text)")
  }
}

extension CallNotice {
  fileprivate var level: LogLevel {
    switch self {
    case .interfaceWithoutAddress: .warning
    case .serverSecured, .serverLost, .dropped: .info
    case .endpoints, .serverConnecting, .dialing, .accepted: .debug
    }
  }

  /// `nil` where there is nothing to say.
  fileprivate var text: String? {
    switch self {
    case .endpoints(let endpoints):
      "this computer is reached at "
        + endpoints.map { endpoint in
          switch endpoint {
          case .datagram(_, let address): "UDP \(address)"
          case .listener(let address): "TCP \(address)"
          }
        }.joined(separator: ", ")
    case .interfaceWithoutAddress(let name):
      "\(name) has no address to call from; the call waits until it has one"
    case .serverConnecting(let address): "connecting to the server at \(address)"
    case .serverSecured(let cipher): "the server is reached, with \(cipher)"
    case .serverLost(let reason): "the connection to the server has ended: \(reason)"
    case .dialing(let address): "dialling a member at TCP \(address)"
    case .accepted(let address): "a TCP connection came from \(address)"
    case .dropped(let counters): counters.text.map { "dropped in this call: \($0)" }
    }
  }
}

extension LinkCounters {
  /// What there was of; `nil` if nothing was dropped.
  fileprivate var text: String? {
    let parts = [
      (foreignDatagrams, "foreign datagrams"), (unauthenticStun, "checks that were not authentic"),
      (unvalidatedDatagrams, "datagrams from unchecked addresses"),
      (invalidFrames, "malformed frames"), (oversizedFrames, "own frames that were too long"),
      (droppedFrames, "own frames without a link"), (refusedCandidates, "refused addresses"),
      (refusedDescriptions, "refused descriptions"), (refusedStreams, "refused TCP connections"),
      (withheld, "own outputs that --relay-only forbids"),
    ]
    let found = parts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
    return found.isEmpty ? nil : found.joined(separator: ", ")
  }
}
