import Rooms
import Testing
import Units
import Wire

/// Relays that the server grants (THREATS S16).
@Suite struct RelayOfferTests {
  private let ann = Person(1)
  private let bob = Person(2)
  private let room = Room(7)
  private let offer = RelayOffer(
    servers: [RelayServer(.udp, SocketAddress(.v4(203, 0, 113, 1), port: 3_478))],
    secret: Array("north".utf8))

  private func grants(_ hall: VirtualHall, _ id: ConnectionID) throws -> [RelayGrant] {
    try hall.frames(to: id).filter { $0.kind == .relays }.map { try RelayGrant(decoding: $0.body) }
  }

  @Test func `whoever is admitted is granted relays for ten minutes, right behind the answer`()
    throws
  {
    var hall = VirtualHall(relays: offer)
    let a = hall.create(ann, room, room.record(owner: ann))
    let b = hall.join(bob, room)
    #expect(hall.kinds(a) == [.joined, .relays, .memberJoined])
    #expect(hall.kinds(b) == [.joined, .relays])
    let grant = try #require(try grants(hall, a).first)
    #expect(grant.lifetime == 600)
    #expect(grant.servers == offer.servers)
    let name = String(decoding: grant.credentials.username, as: UTF8.self)
    let parts = name.split(separator: ":")
    #expect(parts.first == "\(VirtualHall.wallSeconds + 600)")
    #expect(parts.last?.count == 16)
    // The relay recomputes it from the name alone.
    #expect(
      grant.credentials
        == .minted(
          name: Array((parts.last ?? "").utf8), expiry: Int64(VirtualHall.wallSeconds) + 600,
          secret: offer.secret, ciphers: VirtualHall.ciphers))
    #expect(try grants(hall, b).first?.credentials == grant.credentials)
  }

  @Test func `another room has another name, and neither tells the room's`() throws {
    var hall = VirtualHall(relays: offer)
    let other = Room(8)
    let a = hall.create(ann, room, room.record(owner: ann))
    let b = hall.create(bob, other, other.record(owner: bob))
    let names = try [a, b].map {
      String(decoding: try #require(try grants(hall, $0).first).credentials.username, as: UTF8.self)
    }
    #expect(names[0] != names[1])
    let rid = room.rid.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    #expect(!rid.contains(names[0].suffix(16)))
  }

  @Test func `a new grant comes with a pong after half of the lifetime, not before`() throws {
    var hall = VirtualHall(relays: offer)
    let a = hall.create(ann, room, room.record(owner: ann))
    for minute in 1...21 {
      hall.advance(.seconds(30))
      hall.send(a, .ping, RendezvousPing(token: UInt64(minute)))
    }
    // At 0, 300 and 600 s.
    let expiries = try grants(hall, a).map {
      String(decoding: $0.credentials.username.prefix { $0 != 58 }, as: UTF8.self)
    }
    #expect(expiries == ([600, 900, 1_200] as [UInt64]).map { "\(VirtualHall.wallSeconds + $0)" })
  }

  @Test func `without relays nothing is granted, and outside of a room nobody is`() throws {
    var hall = VirtualHall()
    let a = hall.create(ann, room, room.record(owner: ann))
    #expect(hall.kinds(a) == [.joined])
    var offering = VirtualHall(relays: offer)
    let b = offering.join(bob, room)
    #expect(offering.kinds(b) == [.refused])
  }
}

@Suite struct RelayURLTests {
  @Test(arguments: [
    ("turn:relay.example.org", "relay.example.org", 3_478, [RelayServer.Carrier.udp, .tcp]),
    ("turn:192.0.2.1:5000?transport=udp", "192.0.2.1", 5_000, [.udp]),
    ("turn:[2001:db8::1]?transport=tcp", "2001:db8::1", 3_478, [.tcp]),
    ("turn:[2001:db8::1]:99", "2001:db8::1", 99, [.udp, .tcp]),
    ("turns:relay.example.org", "relay.example.org", 5_349, [.tls]),
    ("turns:relay.example.org:443?transport=tcp", "relay.example.org", 443, [.tls]),
  ])
  func `a relay's URL is host, port and carriers`(
    text: String, host: String, port: Int, carriers: [RelayServer.Carrier]
  ) throws {
    let url = try RelayURL(text: text)
    #expect(url.host == host)
    #expect(url.port == UInt16(port))
    #expect(url.carriers == carriers)
  }

  @Test(arguments: [
    ("relay.example.org", RelayURLError.scheme("relay.example.org")),
    ("stun:relay.example.org", .scheme("stun:relay.example.org")),
    ("turn:relay?transport=tls", .transport("transport=tls")),
    ("turns:relay?transport=udp", .transport("transport=udp")),
    ("turn:", .address(.noHost)), ("turn:relay:0", .address(.notAPort("0"))),
    ("turn:::1", .address(.noHost)), ("turn:a b", .address(.notAHost("a b"))),
  ])
  func `a wrong relay's URL is refused with the reason`(text: String, error: RelayURLError) {
    #expect(throws: error) { try RelayURL(text: text) }
  }
}
