package import Links
package import Rooms
package import Units
package import Wire

/// What `p2pcall check` has found out, without a judgement. Nothing of it is a secret: credentials of
/// relays are used and not kept.
package struct Findings: Hashable, Sendable {
  package var choices: CallChoices
  package var devices: [DeviceFinding]
  package var clock: ClockFinding
  /// As it was given, for messages.
  package var serverName: String
  package var network: NetworkFindings
  /// `nil` where the server never showed a certificate.
  package var identity: ServerIdentity?

  package init(
    choices: CallChoices = CallChoices(), devices: [DeviceFinding], clock: ClockFinding,
    serverName: String, network: NetworkFindings,
    identity: ServerIdentity?
  ) {
    self.choices = choices
    self.devices = devices
    self.clock = clock
    self.serverName = serverName
    self.network = network
    self.identity = identity
  }
}

/// What the user has chosen for the call that is to be expected.
package struct CallChoices: Hashable, Sendable {
  package var transport: Transport
  package var ways: Ways
  /// The network interface that alone is used with peers and relays; `nil`: all.
  package var interface: String?

  package init(transport: Transport = .auto, ways: Ways = .all, interface: String? = nil) {
    self.transport = transport
    self.ways = ways
    self.interface = interface
  }
}

package struct DeviceFinding: Hashable, Sendable {
  package enum Kind: String, Hashable, Sendable {
    case camera
    case microphone
    case speaker
  }
  package enum Outcome: Hashable, Sendable {
    /// One picture came; its mean brightness, 0…255 with black at 16 (BT.601, limited range).
    case picture(width: Int, height: Int, brightness: Int)
    /// The loudest sample of a moment, 0…1 of full scale.
    case heard(peak: Double)
    /// It took a moment of silence.
    case played
    /// It, or any of its kind, cannot be used.
    case failed(String, remedy: String)
    /// It neither worked nor failed in time.
    case silent
  }
  package var kind: Kind
  package var outcome: Outcome

  package init(_ kind: Kind, _ outcome: Outcome) {
    self.kind = kind
    self.outcome = outcome
  }
}

package struct ClockFinding: Hashable, Sendable {
  /// Seconds since 1970, by this computer.
  package var own: Int64
  /// At the same moment by the server's clock; `nil` where nothing told it.
  package var server: Int64?
  /// The kernel's word (adjtimex); `nil` where it gives none.
  package var isSynchronized: Bool?

  package init(own: Int64, server: Int64?, isSynchronized: Bool?) {
    self.own = own
    self.server = server
    self.isSynchronized = isSynchronized
  }
}

/// What the server's certificate says, and what the rules of trust say to it.
package struct ServerIdentity: Hashable, Sendable {
  package enum Standing: Hashable, Sendable {
    case accepted(ServerVerdict.Ground)
    /// Nothing vouches for it, and nothing is against it.
    case unknown
    /// Why, in a sentence with its remedy.
    case refused(String)
  }
  package var standing: Standing
  package var pin: KeyFingerprint
  /// Seconds since 1970; `nil` where there is no certificate to read it from.
  package var notBefore: Int64?
  package var notAfter: Int64?

  package init(
    standing: Standing, pin: KeyFingerprint, notBefore: Int64? = nil, notAfter: Int64? = nil
  ) {
    self.standing = standing
    self.pin = pin
    self.notBefore = notBefore
    self.notAfter = notAfter
  }
}

/// What the network has shown.
package struct NetworkFindings: Hashable, Sendable {
  package var server = ServerOutcome.silent
  package var v4 = FamilyFindings()
  package var v6 = FamilyFindings()
  /// In the order in which the server offers them.
  package var relays: [RelayFinding] = []
  /// When a grant came, the server's clock as it can be read from it.
  package var serverTime: ServerTime?

  package init() {}

  package struct ServerTime: Hashable, Sendable {
    /// Since 1970.
    package var seconds: Int64
    package var at: Instant

    package init(seconds: Int64, at: Instant) {
      self.seconds = seconds
      self.at = at
    }
  }
}

package enum ServerOutcome: Hashable, Sendable {
  /// A room of our own was made and left again.
  case entered(after: Interval)
  /// Its name stands for no address; why.
  case notFound(String)
  case unreachable(String)
  /// It did not let us in, nor say why, in time.
  case silent
  case refused
  case certificateRefused
  /// By the rules of trust: nothing more was said to it.
  case rejected
}

/// What was seen of one address family.
package struct FamilyFindings: Hashable, Sendable {
  /// Own addresses that others could use.
  package var ownAddresses: [IPAddress] = []
  /// The server has an address of this family, so that there was somebody to ask.
  package var isServed = false
  /// The server is asked at an address of this computer itself.
  package var isLoopback = false
  /// From the first sending of the question to the server's answer; `nil` without one.
  package var roundTrip: Interval?
  /// What came back instead of the server's answer, from wherever; `nil` also where one came.
  package var bounce: DialFailure?
  /// Own sockets, as others have seen them.
  package var sightings: [Sighting] = []
  /// A datagram to our own address outside came back in; `nil` where that was not tried.
  package var hairpins: Bool?
  package var filtering = Filtering.unknown

  package init() {}

  /// One socket as one server saw it.
  package struct Sighting: Hashable, Sendable {
    package var socket: SocketID
    /// Its port here.
    package var port: UInt16
    package var asked: SocketAddress
    package var seen: SocketAddress

    package init(socket: SocketID, port: UInt16, asked: SocketAddress, seen: SocketAddress) {
      self.socket = socket
      self.port = port
      self.asked = asked
      self.seen = seen
    }
  }

  /// Who gets in unasked (RFC 4787 §5).
  package enum Filtering: String, Hashable, Sendable {
    /// Nobody was there to try.
    case unknown
    /// A datagram came in from an address that we had never sent to.
    case none
    /// One came in from another port of an address that we had sent to; of others nothing is known.
    case notByPort = "not-by-port"
    /// Only after we had sent there ourselves.
    case unasked
  }
}

/// One relay over one carrier.
package struct RelayFinding: Hashable, Sendable {
  package enum Outcome: Hashable, Sendable {
    /// An address there was ours for a moment; `after` the question, or the dialling.
    case allocated(after: Interval)
    case failed(TurnFailure)
    /// TCP: no connection; why.
    case unconnected(String)
    /// TLS: no session, so nothing was said to it.
    case unsecured(SecureSessionFailure)
    /// UDP: what was sent came back, and no answer did.
    case bounced(DialFailure)
    case silent
    case untried(Untried)
  }
  package enum Untried: Hashable, Sendable {
    /// `--transport` leaves it out.
    case transport
    /// `--no-relay` leaves out all.
    case ways
    /// An address that no peer could use.
    case address
    /// This computer has no address of its family.
    case family
  }
  package var server: RelayServer
  package var outcome: Outcome
  /// A datagram of ours went through it; `nil` where that could not be tried.
  package var carries: Bool?
  /// Family of the address that it gave; where it gave none, of its own.
  package var given: StunFamily

  /// Without `given` it is the relay's own.
  package init(
    _ server: RelayServer, _ outcome: Outcome, carries: Bool? = nil, given: StunFamily? = nil
  ) {
    self.server = server
    self.outcome = outcome
    self.carries = carries
    self.given = given ?? server.family
  }
}
