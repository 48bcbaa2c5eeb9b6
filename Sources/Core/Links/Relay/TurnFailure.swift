package import Units
package import Wire

/// What is asked of a relay.
package enum TurnRequest: String, Hashable, Sendable {
  case allocate
  case refresh
  case createPermission
  case channelBind
}

/// Why there is no allocation, or none any more: what was expected and what came. Words of the
/// server's are not passed on.
package enum TurnFailure: Error, Hashable, Sendable, CustomStringConvertible {
  package enum BadChallenge: Hashable, Sendable {
    case withoutRealm
    case withoutNonce
    /// It names no algorithms where the server has said that it has some.
    case weakened
    /// It names neither SHA-256 nor MD5.
    case unknownAlgorithms
  }
  package enum BadAnswer: Hashable, Sendable {
    case withoutRelayedAddress
    /// Of another family than asked for, or one that nobody can send to.
    case unusableAddress(SocketAddress)
    case withoutLifetime
    /// In seconds.
    case shortLifetime(UInt32)
  }

  case noAnswer(TurnRequest)
  /// Answers came that were not signed with our password.
  case unauthenticAnswers(TurnRequest)
  /// 401 to a signed request: the password is wrong, or its time is over.
  case credentialRefused
  /// 437: the server has an allocation for this socket's address already. Another socket can.
  case addressInUse
  /// 486.
  case quotaReached
  /// 300: this server should be asked instead.
  case otherServer(SocketAddress)
  /// Any other refusal, 300…699.
  case refused(TurnRequest, code: Int)
  /// The allocation was lost right after it was made.
  case lostAgain
  case challenge(BadChallenge)
  case answer(TurnRequest, BadAnswer)
  case stream(WireError)

  package var description: String {
    switch self {
    case .noAnswer(let request): "the relay does not answer (\(request.rawValue))"
    case .unauthenticAnswers(let request):
      "expected an answer signed with the password, found others (\(request.rawValue))"
    case .credentialRefused: "the relay refuses the password, or its time is over (401)"
    case .addressInUse: "the relay has an allocation for this address already (437)"
    case .quotaReached: "the relay's limit of allocations for this user is reached (486)"
    case .otherServer(let server): "the relay says to ask \(server) instead (300)"
    case .refused(let request, let code): Self.sentence(request, code: code)
    case .lostAgain: "the relay lost the allocation twice in a short time (437)"
    case .challenge(.withoutRealm): "expected a realm in the relay's challenge, found none"
    case .challenge(.withoutNonce): "expected a nonce in the relay's challenge, found none"
    case .challenge(.weakened):
      "expected password algorithms in the relay's challenge, found them taken out"
    case .challenge(.unknownAlgorithms):
      "expected SHA-256 or MD5 in the relay's challenge, found other algorithms"
    case .answer(let request, .withoutRelayedAddress):
      "expected a relayed address in the relay's answer, found none (\(request.rawValue))"
    case .answer(let request, .unusableAddress(let address)):
      "expected a relayed address of use, found \(address) (\(request.rawValue))"
    case .answer(let request, .withoutLifetime):
      "expected a lifetime in the relay's answer, found none (\(request.rawValue))"
    case .answer(let request, .shortLifetime(let seconds)):
      "expected a lifetime of \(TurnAllocation.leastLifetime) s and more, found \(seconds) s "
        + "(\(request.rawValue))"
    case .stream(let error): "expected STUN or channel data from the relay, found \(error)"
    }
  }

  /// RFC 8656 §19, RFC 8489 §14.8.
  private static func sentence(_ request: TurnRequest, code: Int) -> String {
    let reason =
      switch code {
      case 400: "it does not understand the request"
      case 403: "it is forbidden"
      case 420: "it does not know an attribute"
      case 438: "the nonce is stale again and again"
      case 440: "it does not relay this address family"
      case 441: "the allocation is another user's"
      case 442: "it does not relay UDP"
      case 443: "the peer's address is of another family"
      case 500: "it has failed"
      case 508: "it has no address or port left"
      default: "no reason that is known"
      }
    return "the relay refuses (\(request.rawValue), \(code)): \(reason)"
  }
}
