import Encryption
import Files
import Rooms
import Runtime
import Synchronization
import Testing
import Units
import Wire

@Suite struct ServiceTests {
  private let loop: EventLoop

  init() throws { loop = try EventLoop() }

  private final class Memory: RoomArchive {
    private let rooms = Mutex<[StoredRoom]>([])
    func load() -> [StoredRoom] { rooms.withLock { $0 } }
    func store(_ room: StoredRoom) {
      rooms.withLock {
        $0.removeAll { $0.rid == room.rid }
        $0.append(room)
      }
    }
    func forget(rid: [UInt8]) { rooms.withLock { $0.removeAll { $0.rid == rid } } }
  }

  /// An owner and a guest who see each other.
  private func pair(
    _ address: SocketAddress, room: UInt8 = 1
  ) throws -> (owner: LoopbackClient, guest: LoopbackClient) {
    let owner = LoopbackClient(loop, address, room: room, isOwner: true, number: 1)
    try turn(loop, [owner]) {
      owner.outputs.contains { if case .joined(let room) = $0 { room.isNew } else { false } }
    }
    let guest = LoopbackClient(loop, address, room: room, isOwner: false, number: 2)
    try turn(loop, [owner, guest]) {
      owner.outputs.contains(.memberJoined(guest.member))
        && guest.outputs.contains(.memberJoined(owner.member))
    }
    return (owner, guest)
  }

  @Test(arguments: [IPAddress.loopbackV4, .loopbackV6])
  func `two clients meet over TLS and their boxes arrive`(ip: IPAddress) throws {
    let service = try RunningService([SocketAddress(ip, port: 0)])
    let (owner, guest) = try pair(service.addresses[0])
    let sealed = [UInt8](repeating: 7, count: SealedBox.sealedLimit)
    guest.feed(.sendBox(to: owner.member.session, sealed: sealed))
    try turn(loop, [owner, guest]) {
      owner.outputs.contains(.box(from: guest.member.session, sealed: sealed))
    }
    guest.feed(.leave)
    try turn(loop, [owner]) { owner.outputs.contains(.memberLeft(guest.member.session)) }
  }

  @Test(arguments: [IPAddress.loopbackV4, .v4(127, 0, 0, 9), .loopbackV6])
  func `the port answers STUN questions, from the address that was asked`(ip: IPAddress) throws {
    let service = try RunningService([
      SocketAddress(.v4(0, 0, 0, 0), port: 0),
      SocketAddress(IPAddress(bytes: [UInt8](repeating: 0, count: 16))!, port: 0),
    ])
    let socket = try UDPSocket(boundTo: SocketAddress(ip.isV4 ? .loopbackV4 : .loopbackV6, port: 0))
    let server = SocketAddress(ip, port: service.addresses[0].port)
    let question = StunMessage(
      .request, transactionID: [UInt8](repeating: 5, count: 12),
      attributes: [.software([UInt8](repeating: 0x20, count: 24))])
    var answers: [(StunMessage, SocketAddress)] = []
    let token = try loop.watch(socket.fileDescriptor, for: .readable) { _ in
      socket.receive { bytes, source in
        if let message = try? StunMessage(decoding: bytes) { answers.append((message, source)) }
      }
    }
    defer { loop.unwatch(token) }
    // What is no question gets nothing.
    socket.send([UInt8](repeating: 0, count: 64), to: server)
    socket.send(question.encoded, to: server)
    socket.flush()
    try turn(loop, []) { !answers.isEmpty }
    #expect(answers.map(\.1) == [server])
    #expect(answers.map(\.0.attributes) == [[.xorMappedAddress(socket.localAddress)]])
  }

  @Test func `a port of the system's choice is one for both families`() throws {
    let service = try RunningService([
      SocketAddress(.loopbackV4, port: 0), SocketAddress(.loopbackV6, port: 0),
    ])
    #expect(service.addresses.count == 2)
    #expect(service.addresses[0].port == service.addresses[1].port)
    #expect(service.addresses[0].port != 0)
  }

  @Test func `an unknown room is refused`() throws {
    let service = try RunningService()
    let guest = LoopbackClient(
      loop, service.addresses[0], room: 9, isOwner: false, number: 2)
    try turn(loop, [guest]) { guest.outputs.contains(.ended(.refused)) }
  }

  @Test func `after a restart on the same file, room and members are there again`() throws {
    let archive = Memory()
    let first = try RunningService(archive: archive)
    let address = first.addresses[0]
    let (owner, guest) = try pair(address)
    first.end()
    #expect(archive.load().count == 1)

    let second = try RunningService([address], certificate: first.certificate, archive: archive)
    try turn(loop, [owner, guest]) {
      owner.outputs.contains(.registeredAgain) && guest.outputs.contains(.registeredAgain)
    }
    let late = LoopbackClient(loop, address, room: 1, isOwner: false, number: 3)
    try turn(loop, [owner, guest, late]) {
      late.outputs.contains(.memberJoined(owner.member))
        && late.outputs.contains(.memberJoined(guest.member))
    }
    second.end()
  }

  @Test func `after the loss of all data the guest makes the room again`() throws {
    let first = try RunningService()
    let address = first.addresses[0]
    let (owner, guest) = try pair(address)
    // Whoever holds the room's keys has checked what the server said of it.
    for case .joined(let room) in guest.outputs { guest.feed(.learned(room.record)) }
    first.end()
    owner.feed(.leave)
    let second = try RunningService([address], certificate: first.certificate)
    try turn(loop, [guest]) { guest.outputs.contains(.registeredAgain) }
    let late = LoopbackClient(loop, address, room: 1, isOwner: false, number: 3)
    try turn(loop, [guest, late]) { late.outputs.contains(.memberJoined(guest.member)) }
    second.end()
  }

  @Test func `going down, the server tells its members to come back`() throws {
    let service = try RunningService()
    let (owner, guest) = try pair(service.addresses[0])
    service.end()
    try turn(loop, [owner, guest]) {
      [owner, guest].allSatisfy { $0.outputs.contains(.lost("the server is going down")) }
    }
  }
}
