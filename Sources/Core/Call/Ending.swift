import Units

/// Why a call ends, with the words and the exit code that the user gets (DESIGN section 2).
package enum EndReason: Hashable, Sendable {
  case done(String)
  case interrupted
  case unreachable(String)
  /// With a password a wrong one is another room.
  case refused(hasPassword: Bool)
  /// The server lets in only whom its CA vouches for.
  case certificateRefused
  /// The local user, or the rules, rejected the server; they were told why then.
  case untrusted
  case changedKey(String)
  case proofRefused
  case noPath
  /// The room's owner has banned us.
  case removed
  /// Only relays may be used, and the server has none to use.
  case noRelay
  case device

  var exitCode: Int {
    switch self {
    case .done: 0
    case .unreachable: 3
    case .refused, .certificateRefused, .removed: 4
    case .untrusted, .changedKey, .proofRefused: 5
    case .noPath, .noRelay: 6
    case .device: 7
    case .interrupted: 130
    }
  }

  var text: String {
    switch self {
    case .done(let text): text
    case .interrupted: "interrupted"
    case .unreachable: "the server cannot be reached"
    case .refused: "the server refused the room"
    case .certificateRefused: "the server refused the certificate"
    case .untrusted: "the server is not trusted"
    case .changedKey: "a changed key"
    case .proofRefused: "the other side could not prove that it knows the room"
    case .noPath: "no path to anybody"
    case .noRelay: "no relay to call over"
    case .removed: "removed by the room's owner"
    case .device: "a device failed"
    }
  }

  /// The error event; `nil` where nothing went wrong or the user was told already.
  var failure: CallEvent? {
    let (message, remedy): (String, String)
    switch self {
    case .done, .interrupted, .device, .untrusted: return nil
    case .unreachable(let reason):
      message = "the server cannot be reached (\(reason))"
      remedy = "check --server, and that p2pcall-rendezvous runs there"
    case .refused(hasPassword: true):
      message =
        "the server refused this room: the password is wrong, or the room is unknown, expired, full "
        + "or locked"
      remedy = "type the password again, or ask for a new room id"
    case .refused(hasPassword: false):
      message = "the server refused this room: it is unknown, expired, full or locked"
      remedy = "ask for a new room id, or make one with p2pcall room create"
    case .certificateRefused:
      message = EndReason.certificateDemand
      remedy = EndReason.certificateRemedy
    case .changedKey(let name):
      message = "this is not the \(name) you know: the name came with another key"
      remedy = "ask them; if they have a new key, accept it with p2pcall peers trust FINGERPRINT"
    case .proofRefused:
      message = "the other side could not prove that it knows the room"
      remedy = "make a new room and give its id only to who should come"
    case .noPath:
      let explanation = PathExplanation([])
      message = explanation.message
      remedy = explanation.remedy
    case .removed:
      message = "the owner of the room has removed you from it"
      remedy = "ask them for the id of a new room, or make one with p2pcall room create"
    case .noRelay:
      message = "the server offers no relay that may be used, and --relay-only allows nothing else"
      remedy =
        "ask whoever runs the server for one (p2pcall-rendezvous --turn), or leave out --relay-only"
    }
    return .failure(code: exitCode, message: message, remedy: remedy)
  }
}

extension EndReason {
  /// A server that runs with `--ca`, to whoever shows no certificate of that CA.
  package static let certificateDemand =
    "the server lets in only people with a certificate of its CA"
  package static let certificateRemedy =
    "get one from whoever runs it and pass it with --cert FILE --key FILE, together with "
    + "--server-pin PIN or --ca FILE"
}

/// The orderly end: peers and server are told first, for half a second at most.
struct Ending: Sendable {
  private var reason: EndReason?
  private var begunAt = Instant.zero
  private var arePeersTold = false
  private(set) var isFinished = false

  private static let patience = Interval.milliseconds(500)

  var hasBegun: Bool { reason != nil }

  /// False if the call is ending already: the first reason stands.
  mutating func begin(_ reason: EndReason, at now: Instant) -> Bool {
    guard self.reason == nil else { return false }
    self.reason = reason
    begunAt = now
    return true
  }

  mutating func peersKnow() { arePeersTold = true }

  var isComplete: Bool { hasBegun && arePeersTold && !isFinished }

  var deadline: Deadline? {
    hasBegun && !isFinished ? Deadline("leaving", at: begunAt + Self.patience) : nil
  }

  func isOverdue(at now: Instant) -> Bool {
    guard let deadline else { return false }
    return now >= deadline.at
  }

  /// The reason, once.
  mutating func finish() -> EndReason? {
    guard !isFinished else { return nil }
    isFinished = true
    return reason
  }
}
