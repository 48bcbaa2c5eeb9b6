import Ciphers
import Units
import Wire

/// Asks STUN servers under which addresses our sockets are seen from outside (RFC 8445 §5.1.1.2), and goes on
/// asking, so that NATs keep what they have mapped (§5.1.1.4) and a new mapping is noticed.
struct ReflexiveGathering {
  /// What was learned, without copies and without what the sockets are bound to themselves.
  private(set) var candidates: [Candidate] = []
  private let servers: [SocketAddress]
  private let ciphers: any CipherSuite
  private let allowsLoopback: Bool
  private var bases: [Base] = []
  private var inquiries: [Inquiry] = []
  /// All, out of turn.
  private var askedAt: Instant?
  private var outputs = OutputQueue<(bytes: [UInt8], path: DatagramPath)>()

  /// A socket with the addresses that it has of its own; of those the first of each family counts.
  private struct Base {
    let socket: SocketID
    var addresses: [SocketAddress]
    let priority: UInt32
  }

  /// One socket's question to one server.
  private struct Inquiry {
    let path: DatagramPath
    /// The socket's own address of the server's family.
    let base: SocketAddress
    let priority: UInt32
    var transactionID: [UInt8] = []
    var request: [UInt8] = []
    var sends = 0
    var dueAt: Instant
    /// By the last answer.
    var mapped: SocketAddress?
  }

  /// Of each family; a name may stand for many addresses.
  private static let serversOfFamily = 2
  /// Sooner than RFC 8489 §6.2.1 has it, which costs an unreachable server seven datagrams.
  private static let waits: [Interval] = [
    .milliseconds(100), .milliseconds(200), .milliseconds(400), .milliseconds(800),
    .milliseconds(1_600), .milliseconds(3_200), .milliseconds(3_200),
  ]
  /// RFC 8445 §11: no less than 15 s; NATs forget after 30 s and more.
  private static let keepalive = Interval.seconds(15)
  /// Between questions out of turn.
  private static let leastPause = Interval.seconds(1)
  /// Makes the question no shorter than its answer with an IPv6 address, as our own server wants it.
  private static let filling = StunAttribute.software(Array("p2pcall                 ".utf8))

  init(_ configuration: LinkHubConfiguration) {
    var chosen: [SocketAddress] = []
    for server in configuration.stunServers
    where chosen.count(where: { $0.ip.isV4 == server.ip.isV4 }) < Self.serversOfFamily {
      chosen.append(server)
    }
    servers = chosen
    ciphers = configuration.ciphers
    allowsLoopback = configuration.allowsLoopback
  }

  mutating func nextOutput() -> (bytes: [UInt8], path: DatagramPath)? { outputs.next() }

  /// The sockets and their host candidates; all is asked anew.
  mutating func setLocal(_ offered: [(SocketID, Candidate)], at now: Instant) {
    bases = []
    for (socket, candidate) in offered where candidate.transport == .udp {
      if let known = bases.firstIndex(where: { $0.socket == socket }) {
        bases[known].addresses.append(candidate.address)
      } else {
        bases.append(
          Base(socket: socket, addresses: [candidate.address], priority: candidate.priority))
      }
    }
    inquiries = []
    for base in bases {
      for server in servers {
        guard
          let own = base.addresses.first(where: {
            $0.ip.isV4 == server.ip.isV4 && $0.ip.isLoopback == server.ip.isLoopback
          })
        else { continue }
        inquiries.append(
          Inquiry(
            path: DatagramPath(socket: base.socket, remote: server), base: own,
            priority: base.priority, dueAt: now))
      }
    }
    candidates = []
    proceed(at: now)
  }

  /// There is reason to think that a NAT has mapped us anew. Who asked a moment ago, or asks still in
  /// quick succession, need not.
  mutating func askAgain(at now: Instant) {
    if let askedAt, now - askedAt < Self.leastPause { return }
    askedAt = now
    for index in inquiries.indices {
      inquiries[index].sends = 0
      inquiries[index].dueAt = now
    }
    proceed(at: now)
  }

  /// Whether any server has told how we are seen; `nil` where none is asked.
  var isAnswered: Bool? {
    inquiries.isEmpty ? nil : inquiries.contains { $0.mapped != nil }
  }

  func expects(_ transactionID: [UInt8]) -> Bool {
    inquiries.contains { $0.sends > 0 && $0.transactionID == transactionID }
  }

  /// A response that `expects` said yes to; false when it came another way than its request went. STUN
  /// without credentials proves nothing: a mapped address is a place for checks, no more.
  mutating func handleResponse(
    _ received: StunMessage.Received, on path: DatagramPath, at now: Instant
  ) -> Bool {
    let response = received.message
    guard
      let index = inquiries.firstIndex(where: {
        $0.sends > 0 && $0.transactionID == response.transactionID && $0.path == path
      })
    else { return false }
    inquiries[index].sends = 0
    inquiries[index].dueAt = now + Self.keepalive
    if response.kind == .success {
      for case .xorMappedAddress(let mapped) in response.attributes
      where CandidateRules.accepts(mapped, allowsLoopback: allowsLoopback) {
        inquiries[index].mapped = mapped
      }
      gather()
    }
    return true
  }

  private mutating func gather() {
    candidates = []
    for inquiry in inquiries {
      guard let mapped = inquiry.mapped,
        !bases.contains(where: { $0.addresses.contains(mapped) }),
        !candidates.contains(where: { $0.address == mapped })
      else { continue }
      candidates.append(
        Candidate(
          transport: .udp, kind: .serverReflexive,
          foundation: CandidateRules.foundation(
            kind: .serverReflexive, transport: .udp, base: inquiry.base.ip,
            server: inquiry.path.remote.ip),
          priority: CandidateRules.reflexivePreference << 24 | inquiry.priority & 0x00FF_FFFF,
          address: mapped))
    }
  }

  // MARK: Time

  mutating func handleTimeout(at now: Instant) { proceed(at: now) }

  var nextDeadline: Deadline? {
    // In place: this is asked after every packet.
    var deadline: Deadline?
    for index in 0..<inquiries.count {
      deadline = .earlier(deadline, Deadline("stun", at: inquiries[index].dueAt))
    }
    return deadline
  }

  private mutating func proceed(at now: Instant) {
    for index in inquiries.indices where inquiries[index].dueAt <= now {
      guard inquiries[index].sends < Self.waits.count else {
        // Nobody there, or nothing gets through: perhaps later.
        inquiries[index].sends = 0
        inquiries[index].dueAt = now + Self.keepalive
        continue
      }
      if inquiries[index].sends == 0 { renew(index) }
      outputs.append((inquiries[index].request, inquiries[index].path))
      inquiries[index].dueAt = now + Self.waits[inquiries[index].sends]
      inquiries[index].sends += 1
    }
  }

  private mutating func renew(_ index: Int) {
    let request = StunMessage(
      .request, transactionID: ciphers.randomBytes(12), attributes: [Self.filling])
    inquiries[index].transactionID = request.transactionID
    inquiries[index].request = request.encoded
  }
}
