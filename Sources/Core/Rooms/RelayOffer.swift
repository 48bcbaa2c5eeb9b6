import Ciphers
package import Units
package import Wire

/// The relays that a rendezvous server grants to its members, with credentials of its own making.
package struct RelayOffer: Sendable {
  package var servers: [RelayServer]
  /// Shared with the relays.
  package var secret: [UInt8]
  /// Of credentials: long enough for a call to begin, short enough to be worth little when they leak.
  package var lifetime: Interval

  package init(
    servers: [RelayServer], secret: [UInt8], lifetime: Interval = .seconds(600)
  ) {
    self.servers = Array(servers.prefix(RelayGrant.serverLimit))
    self.secret = secret
    self.lifetime = lifetime
  }

  /// The relays see a name for each room, and not which room it is (THREATS S16).
  func grant(rid: [UInt8], unixSeconds: Int64, with ciphers: any CipherSuite) -> RelayGrant {
    let seconds = Int64(lifetime.seconds)
    let digest = ciphers.hmacSHA256(key: secret, Array("room".utf8) + rid)
    let name = digest.prefix(8).flatMap { [UInt8]("\(hex($0 >> 4))\(hex($0 & 15))".utf8) }
    return RelayGrant(
      lifetime: UInt32(seconds),
      credentials: .minted(
        name: name, expiry: unixSeconds + seconds, secret: secret, ciphers: ciphers),
      servers: servers)
  }

  private func hex(_ digit: UInt8) -> String { String(digit, radix: 16) }
}
