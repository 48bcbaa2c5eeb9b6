import Encryption
import Links
import Rooms
import Runtime
import Testing
import Units
import Wire

/// Clients that say nothing, half of something, or nonsense: closed in time, at nobody's cost.
@Suite struct MisbehaviourTests {
  private let loop: EventLoop

  init() throws { loop = try EventLoop() }

  /// A bare TCP connection that says what it is told and hears whether it was closed.
  private final class Stranger {
    private let loop: EventLoop
    private let stream: TCPStream
    private var token: EventLoop.Token?
    private let says: [UInt8]
    private(set) var isClosed = false

    init(_ loop: EventLoop, _ address: SocketAddress, says: [UInt8]) throws {
      self.loop = loop
      self.says = says
      stream = try TCPStream(connectingTo: address)
      token = try loop.watch(stream.fileDescriptor, for: [.readable, .writable]) {
        [unowned self] ready in serve(ready)
      }
    }

    deinit { end() }

    private func serve(_ ready: Readiness) {
      if !stream.isConnected {
        if stream.finishConnecting() != nil { return end() }
        stream.write(says)
        if let token { loop.change(token, to: .readable) }
      }
      guard ready.isReadable || ready.isClosed else { return }
      switch stream.read() {
      case .bytes, .blocked: break
      case .ended, .failed: end()
      }
    }

    private func end() {
      isClosed = true
      if let token { loop.unwatch(token) }
      token = nil
    }
  }

  private func limits(_ change: (inout RendezvousLimits) -> Void) -> RendezvousLimits {
    var limits = RendezvousLimits()
    change(&limits)
    return limits
  }

  private func join(_ address: SocketAddress, _ number: UInt8) throws -> LoopbackClient {
    let client = LoopbackClient(loop, address, room: number, isOwner: true, number: number)
    try turn(loop, [client]) {
      client.outputs.contains { if case .joined = $0 { true } else { false } }
    }
    return client
  }

  @Test func `silence, half a handshake and garbage are closed, and others are served`() throws {
    let service = try RunningService(limits: RendezvousLimits())
    let address = service.addresses[0]
    var random = SeededRandom(seed: 8)
    // The first bytes of a TLS record that never comes.
    let half: [UInt8] = [22, 3, 1, 2, 0, 1, 0]
    let strangers = try [
      Stranger(loop, address, says: []), Stranger(loop, address, says: half),
      Stranger(loop, address, says: random.bytes(100)),
      Stranger(loop, address, says: random.bytes(100_000)),
      Stranger(loop, address, says: Array("GET / HTTP/1.1\r\n\r\n".utf8)),
    ]
    let honest = try join(address, 1)
    try turn(loop, [honest]) { strangers.allSatisfy(\.isClosed) }
    #expect(!honest.outputs.contains { if case .lost = $0 { true } else { false } })
    _ = try join(address, 2)
  }

  @Test func `more silent connections of one address than it may have are reset at once`() throws {
    let service = try RunningService(
      limits: limits {
        $0.pendingPerAddress = 4
        // Whoever is closed was so for being one too many.
        $0.admissionTime = .seconds(3_600)
      })
    let strangers = try (0..<10).map { _ in
      try Stranger(loop, service.addresses[0], says: [])
    }
    try turn(loop, []) { strangers.filter(\.isClosed).count >= 6 }
    #expect(strangers.filter(\.isClosed).count == 6)
  }

  @Test func `silent connections beyond the server's own limit give way to newer ones`() throws {
    let service = try RunningService(
      limits: limits {
        $0.pending = 8
        $0.pendingPerAddress = 100
        $0.admissionTime = .seconds(3_600)
      })
    let strangers = try (0..<40).map { _ in
      try Stranger(loop, service.addresses[0], says: [])
    }
    try turn(loop, []) { strangers.filter(\.isClosed).count >= 32 }
    _ = try join(service.addresses[0], 1)
  }

  @Test func `garbage after the handshake closes the connection, and others are served`() throws {
    let service = try RunningService()
    let address = service.addresses[0]
    let honest = try join(address, 1)
    for says in [
      [0, 0, 0], [0xFF, 0xFF, 0xFF], RendezvousFrame(.leave).encoded,
      RendezvousFrame(.join, [1, 2, 3]).encoded,
    ] as [[UInt8]] {
      let liar = try SecuredStranger(loop, address, says: says)
      try turn(loop, [honest]) { liar.isClosed }
    }
    #expect(!honest.outputs.contains { if case .lost = $0 { true } else { false } })
  }

  /// TLS done in order, and then nonsense.
  private final class SecuredStranger {
    private let loop: EventLoop
    private let stream: TCPStream
    private let session: any SecureSession
    private var token: EventLoop.Token?
    private let says: [UInt8]
    private(set) var isClosed = false

    init(_ loop: EventLoop, _ address: SocketAddress, says: [UInt8]) throws {
      self.loop = loop
      self.says = says
      stream = try TCPStream(connectingTo: address)
      session = RendezvousClientSessions(.generate()).makeSession(host: "localhost")
      token = try loop.watch(stream.fileDescriptor, for: .writable) { [unowned self] in serve($0) }
    }

    deinit { end() }

    private func serve(_ ready: Readiness) {
      if !stream.isConnected {
        if stream.finishConnecting() != nil { return end() }
        session.start(at: Clock.now)
        if let token { loop.change(token, to: .readable) }
      }
      if ready.isReadable || ready.isClosed {
        switch stream.read() {
        case .bytes(let bytes): session.receive(bytes, at: Clock.now)
        case .blocked: break
        case .ended, .failed: return end()
        }
      }
      while let output = session.nextOutput() {
        switch output {
        case .transmit(let bytes): stream.write(bytes)
        case .established: session.send(says, at: Clock.now)
        case .received: break
        case .closed, .failed: return end()
        }
      }
    }

    private func end() {
      isClosed = true
      if let token { loop.unwatch(token) }
      token = nil
    }
  }

  @Test func `a member that does not read is cut off, and the sender is served on`() throws {
    let service = try RunningService(
      limits: limits {
        $0.boxesPerSecond = 1e6
        $0.boxBurst = 1e6
        $0.messagesPerSecond = 1e6
        $0.messageBurst = 1e6
      })
    let owner = LoopbackClient(loop, service.addresses[0], room: 1, isOwner: true, number: 1)
    try turn(loop, [owner]) {
      owner.outputs.contains { if case .joined = $0 { true } else { false } }
    }
    // On a loop that is not turned any more once it is in.
    let otherLoop = try EventLoop()
    let deaf = LoopbackClient(
      otherLoop, service.addresses[0], room: 1, isOwner: false, number: 2)
    try turn(otherLoop, [deaf]) {
      deaf.outputs.contains { if case .joined = $0 { true } else { false } }
    }
    let box = [UInt8](repeating: 1, count: SealedBox.sealedLimit)
    try turn(loop, [owner]) {
      for _ in 0..<50 { owner.feed(.sendBox(to: deaf.member.session, sealed: box)) }
      return owner.outputs.contains(.memberLeft(deaf.member.session))
    }
    #expect(!owner.outputs.contains { if case .lost = $0 { true } else { false } })
  }
}
