import Units

/// Whether any order of sending makes datagrams pass both ways: every course is tried, until one
/// succeeds or none leads to anything new. It knows the gateways' rules and nothing of ICE.
///
/// Each side may send from its one socket to the other's own addresses, to what a STUN server saw
/// of the other, and to wherever something came from. No time passes: nothing is forgotten, and
/// who asks the server does so first, as a mapping that is made later is told to nobody.
struct DatagramSearch {
  /// What was sent, by whom, and what came of it.
  private struct Delivery: Hashable {
    var sender: Int
    var sent: PacketHeader
    var arrived: PacketHeader

    /// Whether one is the answer to the other, on the same pair of sockets.
    func answers(_ other: Delivery) -> Bool {
      sender != other.sender && sent.from == other.arrived.to && sent.to == other.arrived.from
        && arrived.to == other.sent.from && arrived.from == other.sent.to
    }
  }

  /// Where a side can send to at most: the other's own two addresses, the two that the server saw,
  /// and as many that are learned. Without a limit, two gateways that draw a port for every
  /// destination and filter nothing go on for ever: each answer comes from somewhere new.
  private static let targetLimit = 8

  private struct Course {
    struct Key: Hashable {
      var memory: [Set<Gateway.Session>]
      var targets: [Set<SocketAddress>]
      var deliveries: Set<Delivery>
    }

    var ground: SearchGround
    /// Where each side can send to, in the order in which it learned of it.
    var targets: [[SocketAddress]] = [[], []]
    var deliveries: Set<Delivery> = []

    var key: Key {
      Key(memory: ground.memory, targets: targets.map { Set($0) }, deliveries: deliveries)
    }

    mutating func learn(_ target: SocketAddress, by side: Int) {
      guard !targets[side].contains(target), targets[side].count < DatagramSearch.targetLimit else {
        return
      }
      targets[side].append(target)
    }

    /// True if with it datagrams have passed both ways.
    mutating func send(from side: Int, to target: SocketAddress) -> Bool {
      guard let own = ground.address(of: side, for: target.ip) else { return false }
      let sent = PacketHeader(
        from: SocketAddress(own, port: SearchGround.datagramPort), to: target,
        content: .datagram)
      guard let arrived = ground.carry(sent, from: side),
        arrived.to.port == SearchGround.datagramPort
      else { return false }
      let delivery = Delivery(sender: side, sent: sent, arrived: arrived)
      learn(arrived.from, by: 1 - side)
      deliveries.insert(delivery)
      return deliveries.contains { $0.answers(delivery) }
    }
  }

  private let start: Course

  init(_ ground: SearchGround, hasStun: Bool) {
    var course = Course(ground: ground)
    for side in 0...1 {
      for address in ground.addresses(of: side) {
        course.learn(
          SocketAddress(address, port: SearchGround.datagramPort), by: 1 - side)
        guard hasStun,
          let mapped = course.ground.ask(
            from: address, of: side, port: SimulatedStunServer.port)
        else { continue }
        course.learn(mapped, by: 1 - side)
      }
    }
    start = course
  }

  func succeeds() -> Bool {
    var open = [start]
    var seen: Set<Course.Key> = [start.key]
    while let course = open.popLast() {
      for side in 0...1 {
        for target in course.targets[side] {
          var next = course
          if next.send(from: side, to: target) { return true }
          if seen.insert(next.key).inserted { open.append(next) }
        }
      }
    }
    return false
  }
}
