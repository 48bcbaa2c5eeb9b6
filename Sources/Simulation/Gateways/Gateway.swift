import Units

/// A gateway's rules and what it remembers: packets go in, and come out with other addresses or
/// not at all. It has no clock and no line, so that copies of it can be tried out.
struct Gateway {
  enum Passage: Hashable {
    case onward(PacketHeader)
    /// Back to where it came from, for somebody else there.
    case turned(PacketHeader)
    /// To be answered by a reset.
    case refused
    case dropped
  }

  /// What was sent from one socket inside to one outside: mappings are made of these.
  struct Session: Hashable {
    var isDatagram: Bool
    var inside: SocketAddress
    /// What the rest of the world takes `inside` for.
    var outside: SocketAddress
    var remote: SocketAddress
    var lastSent: Instant
  }

  let behavior: GatewayBehavior
  private(set) var address: IPAddress
  /// Whom `DatagramPolicy.serversOnly` lets through.
  private let servers: [IPAddress]
  private let seed: UInt64
  private(set) var sessions: [Session] = []
  /// What preserved ports differ from the sender's own by.
  private var portShift: UInt16 = 0

  init(_ behavior: GatewayBehavior, address: IPAddress, servers: [IPAddress], seed: UInt64) {
    self.behavior = behavior
    self.address = address
    self.servers = servers
    self.seed = seed
  }

  /// Everything is forgotten, as when a router starts anew: with another address, or with the old
  /// one and other ports.
  mutating func rebind(to other: IPAddress?) {
    sessions = []
    if let other { address = other } else { portShift &+= 1_009 }
  }

  // MARK: From inside

  mutating func sendOut(_ header: PacketHeader, at now: Instant) -> Passage {
    guard admits(header.content, with: header.to) else { return .dropped }
    guard header.to.ip.isV4 else {
      switch behavior.ipv6 {
      case .none: return .dropped
      case .open: return .onward(header)
      case .filtered: return track(header, at: now) == nil ? stray(header) : .onward(header)
      }
    }
    guard header.to.ip != address || behavior.hairpins else { return .dropped }
    guard let outside = track(header, at: now) else { return stray(header) }
    var translated = header
    translated.from = outside
    guard header.to.ip == address else { return .onward(translated) }
    // RFC 4787 §6, REQ-9: the other one inside sees the outside address and port.
    guard case .onward(let turned) = takeIn(translated, at: now) else {
      return stray(translated)
    }
    return .turned(turned)
  }

  /// Remembers that it was sent, and returns what the sender looks like from outside; nil if it
  /// belongs to no connection that is known.
  private mutating func track(_ header: PacketHeader, at now: Instant) -> SocketAddress? {
    if let known = sessions.firstIndex(where: {
      $0.isDatagram == header.content.isDatagram && $0.inside == header.from
        && $0.remote == header.to && isAlive($0, at: now)
    }) {
      sessions[known].lastSent = now
      return sessions[known].outside
    }
    guard header.content == .datagram || header.content == .segment(.open) else { return nil }
    sessions = sessions.filter { isAlive($0, at: now) }
    let outside = mapping(of: header, at: now)
    sessions.append(
      Session(
        isDatagram: header.content.isDatagram, inside: header.from, outside: outside,
        remote: header.to, lastSent: now))
    return outside
  }

  private func mapping(of header: PacketHeader, at now: Instant) -> SocketAddress {
    guard header.from.ip.isV4 else { return header.from }
    let shared = sessions.first {
      $0.isDatagram == header.content.isDatagram && $0.inside == header.from
        && behavior.mapping.joins($0.remote, header.to)
    }
    if let shared { return shared.outside }
    var outside = SocketAddress(address, port: firstChoice(for: header, at: now))
    while outside.port < 1_024 || isTaken(outside, by: header.content) { outside.port &+= 1 }
    return outside
  }

  private func firstChoice(for header: PacketHeader, at now: Instant) -> UInt16 {
    switch behavior.ports {
    case .preserved: return header.from.port &+ portShift
    case .random:
      // Drawn from what it is for and not from a row of numbers: the order of others changes
      // nothing, which keeps the states few that a search has to visit.
      var hash = MixingHash(domain: seed)
      for endpoint in [header.from, header.to] {
        hash.absorb(endpoint.ip.bytes)
        hash.absorb(UInt64(endpoint.port))
      }
      hash.absorb(UInt64(bitPattern: now.nanoseconds))
      return UInt16(1_024 + hash.word % 64_512)
    }
  }

  private func isTaken(_ outside: SocketAddress, by content: PacketHeader.Content) -> Bool {
    sessions.contains { $0.isDatagram == content.isDatagram && $0.outside == outside }
  }

  // MARK: From outside

  func takeIn(_ header: PacketHeader, at now: Instant) -> Passage {
    guard admits(header.content, with: header.from) else { return .dropped }
    if !header.to.ip.isV4 {
      if behavior.ipv6 == .none { return .dropped }
      if behavior.ipv6 == .open { return .onward(header) }
    }
    guard
      let session = sessions.first(where: {
        $0.isDatagram == header.content.isDatagram && $0.outside == header.to
          && filtering(of: header).joins($0.remote, header.from) && isAlive($0, at: now)
      })
    else { return stray(header) }
    var translated = header
    translated.to = session.inside
    return .onward(translated)
  }

  /// Of TCP only what comes from whom was dialled gets in, whatever datagrams may do: no call but
  /// one that crosses another (RFC 5382 §4.3), which simulated computers ignore.
  private func filtering(of header: PacketHeader) -> GatewayBehavior.Dependence {
    guard header.content.isDatagram else { return .addressAndPortDependent }
    if !header.to.ip.isV4, case .filtered(let dependence) = behavior.ipv6 { return dependence }
    return behavior.filtering
  }

  // MARK: Both ways

  private func admits(_ content: PacketHeader.Content, with remote: SocketAddress) -> Bool {
    guard content.isDatagram else {
      return behavior.streamPorts?.contains(remote.port) ?? true
    }
    return switch behavior.datagrams {
    case .pass: true
    case .serversOnly: servers.contains(remote.ip)
    case .blocked: false
    }
  }

  private func isAlive(_ session: Session, at now: Instant) -> Bool {
    let lifetime =
      session.isDatagram ? behavior.datagramLifetime : GatewayBehavior.streamLifetime
    return now - session.lastSent <= lifetime
  }

  private func stray(_ header: PacketHeader) -> Passage {
    switch header.content {
    case .segment(let kind) where kind != .reset && behavior.strayStreams == .reset: .refused
    default: .dropped
    }
  }
}
