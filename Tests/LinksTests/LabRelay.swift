import Links
import Units
import Wire

/// A TURN server in the laboratory, with an allocation of its own for every address and connection
/// that asks for one.
final class LabRelay {
  /// Who has an allocation: a datagram's source, or a connection.
  enum Client: Hashable {
    case datagrams(SocketAddress)
    case stream(node: Int, StreamID)
  }
  /// What it sends because of what came.
  enum Parcel {
    case answer(Client, [UInt8])
    /// From an address of its own to any.
    case datagram([UInt8], from: SocketAddress, to: SocketAddress)
  }
  private struct Account {
    let client: Client
    var server: FakeRelay
    var delivered = 0
    var splitter = TurnSplitter()
  }

  let address: SocketAddress
  /// What every account begins with; may be changed between runs.
  var template = FakeRelay()
  /// No datagram gets to it or from it.
  var isUDPDown = false
  /// Whoever dials it hears nothing.
  var isTCPDown = false
  private var accounts: [Account] = []

  init(at address: SocketAddress = SocketAddress(.v4(192, 0, 2, 50), port: 3_478)) {
    self.address = address
  }

  func grant(
    _ carriers: [RelayServer.Carrier] = [.udp], password: String = "secret"
  ) -> RelayGrant {
    RelayGrant(
      lifetime: 600,
      credentials: TurnCredentials(
        username: template.credentials.username, password: Array(password.utf8))!,
      servers: carriers.map { RelayServer($0, address, host: Array("relay.example.org".utf8)) })
  }

  /// All that was ever asked of it, by the method.
  func count(_ method: StunMessage.Method) -> Int {
    accounts.reduce(0) { $0 + $1.server.count(method) }
  }
  var allocations: Int { accounts.count { $0.server.hasAllocation } }
  /// Datagrams that went through it to somebody.
  var carried: Int { accounts.reduce(0) { $0 + $1.server.delivered.count } }

  func receive(_ bytes: [UInt8], from client: Client) -> [Parcel] {
    let index = account(of: client)
    guard case .stream = client else { return take(bytes, for: index) }
    accounts[index].splitter.push(bytes)
    var parcels: [Parcel] = []
    while let message = try? accounts[index].splitter.next() {
      parcels += take(message, for: index)
    }
    return parcels
  }

  private func account(of client: Client) -> Int {
    if let known = accounts.firstIndex(where: { $0.client == client }) { return known }
    var server = template
    let number = UInt8(accounts.count)
    let v6 = [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [100 + number]
    let ip = server.lacksV4 ? IPAddress(bytes: v6)! : .v4(192, 0, 2, 100 + number)
    server.relayed = SocketAddress(ip, port: 50_000 + UInt16(number))
    accounts.append(Account(client: client, server: server))
    return accounts.count - 1
  }

  private func take(_ message: [UInt8], for index: Int) -> [Parcel] {
    var parcels: [Parcel] = []
    if let answer = accounts[index].server.receive(message) {
      parcels.append(.answer(accounts[index].client, answer))
    }
    let server = accounts[index].server
    for delivery in server.delivered[accounts[index].delivered...] {
      parcels.append(.datagram(delivery.data, from: server.relayed, to: delivery.peer))
    }
    accounts[index].delivered = server.delivered.count
    return parcels
  }

  func owns(_ relayed: SocketAddress) -> Bool {
    accounts.contains { $0.server.hasAllocation && $0.server.relayed == relayed }
  }

  /// A datagram came to one of its addresses; for whoever has that, if he permits it.
  func receive(_ bytes: [UInt8], from peer: SocketAddress, to relayed: SocketAddress) -> [Parcel] {
    accounts.filter { $0.server.hasAllocation && $0.server.relayed == relayed }.compactMap {
      var isStream = false
      if case .stream = $0.client { isStream = true }
      return $0.server.wrapped(bytes, from: peer, padded: isStream).map { [client = $0.client] in
        .answer(client, $0)
      }
    }
  }
}
