import Ciphers
import Encryption
import Judging
import Links
import Units
import Wire

/// A member and a stranger who holds everything but the room's key, joined by a perfect network in
/// virtual time, with OpenSSL's sessions: the stranger must never be proved.
struct ProofTrial {
  private struct Datagram {
    var bytes: [UInt8]
    var from: SocketAddress
    var to: SocketAddress
  }
  private struct Node {
    let session: SessionID
    let address: SocketAddress
    var hub: LinkHub
    var wasProved = false
  }

  private var nodes: [Node] = []
  private var underway: [Datagram] = []
  private var descriptions: [(LinkDescription, from: Int)] = []
  private var now = Instant(nanoseconds: 1_000_000_000)

  private init(keys: [[UInt8]]) {
    let suite = OpenSSLCipherSuite()
    let room = suite.randomBytes(16)
    for (index, key) in keys.enumerated() {
      guard let session = SessionID(bytes: suite.randomBytes(16)) else { continue }
      let configuration = LinkHubConfiguration(
        roomID: room, ownSession: session, authenticationKey: key, displayName: "node \(index)",
        transport: .udp, sessions: OpenSSLSessionFactory(LinkCertificate()), ciphers: suite,
        identity: P256Identity.generate(), allowsLoopback: false)
      let address = SocketAddress(.v4(10, 0, 0, UInt8(index + 1)), port: 5000)
      nodes.append(Node(session: session, address: address, hub: LinkHub(configuration)))
    }
  }

  /// Whether either became a proved peer of the other within 10 s of virtual time.
  static func isProved(strangerHoldsKey: Bool) -> Bool {
    let suite = OpenSSLCipherSuite()
    let key = suite.randomBytes(32)
    var trial = ProofTrial(keys: [key, strangerHoldsKey ? key : suite.randomBytes(32)])
    trial.run()
    return trial.nodes.contains(where: \.wasProved)
  }

  /// What A1 asks; `sabotage` gives the stranger the key, as if PROOF were not looked at.
  static func criteria(sabotage: Bool = false) -> [Criterion] {
    [
      .equal(
        "a stranger without the room's key is proved", false,
        seen: isProved(strangerHoldsKey: sabotage)),
      .equal("a member with it is proved", true, seen: isProved(strangerHoldsKey: true)),
    ]
  }

  private mutating func run() {
    for index in nodes.indices {
      feed(index, .localEndpoints([.datagram(SocketID(0), nodes[index].address)]))
    }
    for index in nodes.indices { feed(index, .peerAppeared(nodes[1 - index].session)) }
    for _ in 0..<10_000 {
      now += .milliseconds(1)
      let boxes = descriptions
      descriptions = []
      for (description, from) in boxes {
        feed(1 - from, .description(description, from: nodes[from].session))
      }
      let arrived = underway
      underway = []
      for datagram in arrived {
        guard let index = nodes.firstIndex(where: { $0.address == datagram.to }) else { continue }
        feed(index, .datagram(datagram.bytes, from: datagram.from, on: SocketID(0)))
      }
      for index in nodes.indices {
        if let deadline = nodes[index].hub.nextDeadline, deadline.at <= now {
          feed(index, .timeout)
        }
      }
    }
  }

  private mutating func feed(_ index: Int, _ input: LinkHubInput) {
    nodes[index].hub.handle(input, at: now)
    while let output = nodes[index].hub.nextOutput() {
      switch output {
      case .transmit(let bytes, let to, _):
        underway.append(Datagram(bytes: bytes, from: nodes[index].address, to: to))
      case .describe(_, let description): descriptions.append((description, index))
      case .proved, .selected: nodes[index].wasProved = true
      default: continue
      }
    }
  }
}
