import Encryption
import Foundation
import Glibc
import Links
import Rooms
import Testing
import Units

/// The `openssl` program as an independent peer, over loopback sockets.
@Suite struct OpenSSLProgramTests {
  let identity = P256Identity.generate()

  @Test(arguments: [Carrier.stream, .datagram])
  func `s_client talks to a link's server`(carrier: Carrier) throws {
    let socket = try LoopbackSocket(carrier, listens: true)
    let files = try CredentialFiles(identity)
    var arguments = [
      "s_client", "-connect", "127.0.0.1:\(socket.port)", "-cert", files.path, "-key", files.path,
      "-quiet",
    ]
    arguments += carrier == .stream ? ["-tls1_3"] : ["-dtls1_2"]
    let program = try OpenSSLProgram(arguments)
    let session = OpenSSLSessionFactory(LinkCertificate()).makeSession(
      carrier, role: .server, expectedKeyHash: identity.keyHash)
    try converse(session, over: socket, with: program)
    #expect(session.peerKeyHash == identity.keyHash)
  }

  @Test(arguments: [Carrier.stream, .datagram])
  func `a link's client talks to s_server`(carrier: Carrier) throws {
    let files = try CredentialFiles(identity)
    let port = try LoopbackSocket(carrier, listens: true).port
    var arguments = [
      "s_server", "-accept", "127.0.0.1:\(port)", "-cert", files.path, "-key", files.path,
      "-Verify", "1", "-quiet",
    ]
    arguments += carrier == .stream ? ["-tls1_3"] : ["-dtls1_2"]
    let program = try OpenSSLProgram(arguments)
    let session = OpenSSLSessionFactory(LinkCertificate()).makeSession(
      carrier, role: .client, expectedKeyHash: identity.keyHash)
    let socket = try LoopbackSocket(carrier, dials: port)
    try converse(session, over: socket, with: program)
    #expect(session.peerKeyHash == identity.keyHash)
  }

  @Test func `s_client talks to a rendezvous server, and gets no ticket`() throws {
    let socket = try LoopbackSocket(.stream, listens: true)
    let files = try CredentialFiles(identity)
    let program = try OpenSSLProgram([
      "s_client", "-connect", "127.0.0.1:\(socket.port)", "-cert", files.path, "-key", files.path,
    ])
    let session = RendezvousServerSessions(ServerCertificate.generate()).makeSession()
    try converse(session, over: socket, with: program)
    program.end()
    #expect(program.output.contains("TLSv1.3"))
    #expect(!program.output.contains("New Session Ticket"))
    #expect(!program.output.contains("Post-Handshake New"))
  }

  @Test func `s_client is refused with TLS 1.2`() throws {
    let socket = try LoopbackSocket(.stream, listens: true)
    let files = try CredentialFiles(identity)
    let program = try OpenSSLProgram([
      "s_client", "-connect", "127.0.0.1:\(socket.port)", "-cert", files.path, "-key", files.path,
      "-tls1_2",
    ])
    let session = RendezvousServerSessions(ServerCertificate.generate()).makeSession()
    var failed = false
    socket.drive(
      session, until: { failed },
      handling: { output in if case .failed = output { failed = true } })
    #expect(failed)
    program.end()
  }

  /// Both say a line, both hear the other's.
  private func converse(
    _ session: any SecureSession, over socket: LoopbackSocket, with program: OpenSSLProgram
  ) throws {
    var received: [UInt8] = []
    var isEstablished = false
    socket.drive(
      session, until: { received.contains(UInt8(ascii: "\n")) },
      handling: { output in
        switch output {
        case .established:
          isEstablished = true
          program.write("from openssl\n")
        case .received(let bytes): received += bytes
        default: break
        }
      })
    #expect(isEstablished)
    #expect(String(decoding: received, as: UTF8.self) == "from openssl\n")
    session.send(Array("from p2pcall\n".utf8), at: .zero)
    socket.drive(
      session, until: { program.output.contains("from p2pcall\n") }, handling: { _ in })
    #expect(program.output.contains("from p2pcall\n"))
    program.end()
  }
}

/// A key and its certificate in a file that goes with the value.
private final class CredentialFiles {
  let path = NSTemporaryDirectory() + "credentials-" + UUID().uuidString

  init(_ identity: P256Identity) throws {
    try Data(identity.pem).write(to: URL(fileURLWithPath: path))
  }
  deinit { try? FileManager.default.removeItem(atPath: path) }
}

private final class OpenSSLProgram {
  private let process = Process()
  private let input = Pipe()
  private let outputPipe = Pipe()
  private var collected: [UInt8] = []

  init(_ arguments: [String]) throws {
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["openssl"] + arguments
    process.standardInput = input
    process.standardOutput = outputPipe
    process.standardError = FileHandle.nullDevice
    try process.run()
    let descriptor = outputPipe.fileHandleForReading.fileDescriptor
    _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
  }
  deinit { end() }

  func write(_ text: String) { input.fileHandleForWriting.write(Data(text.utf8)) }

  /// What it has printed so far.
  var output: String {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = read(outputPipe.fileHandleForReading.fileDescriptor, &buffer, buffer.count)
      guard count > 0 else { break }
      collected += buffer[..<count]
    }
    return String(decoding: collected, as: UTF8.self)
  }

  func end() {
    guard process.isRunning else { return }
    // Not SIGTERM: a test's thread has it blocked, and the child inherits that.
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }
}

/// A TCP or UDP socket on 127.0.0.1.
private final class LoopbackSocket {
  private let carrier: Carrier
  private var descriptor: Int32
  private let isListener: Bool
  private var isConnected = false
  let port: UInt16

  struct Failure: Error {}

  init(_ carrier: Carrier, listens: Bool = false, dials target: UInt16 = 0) throws {
    self.carrier = carrier
    isListener = listens
    let type = Int32((carrier == .stream ? SOCK_STREAM : SOCK_DGRAM).rawValue)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    address.sin_port = target.bigEndian
    var opened = socket(AF_INET, type, 0)
    if listens {
      guard Self.withAddress(&address, { bind(opened, $0, $1) }) == 0 else { throw Failure() }
      if carrier == .stream { listen(opened, 1) }
      var length = socklen_t(MemoryLayout<sockaddr_in>.size)
      _ = withUnsafeMutableBytes(of: &address) {
        getsockname(opened, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), &length)
      }
      port = UInt16(bigEndian: address.sin_port)
      descriptor = opened
      return
    }
    port = target
    // The program needs a moment before it listens; a UDP socket connects at once, and DTLS
    // repeats what was lost.
    for _ in 0..<500 where !isConnected {
      if Self.withAddress(&address, { connect(opened, $0, $1) }) == 0 {
        isConnected = true
      } else {
        close(opened)
        usleep(20_000)
        opened = socket(AF_INET, type, 0)
      }
    }
    descriptor = opened
    guard isConnected else { throw Failure() }
  }
  deinit { close(descriptor) }

  private static func withAddress(
    _ address: inout sockaddr_in, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) -> Int32 {
    withUnsafeBytes(of: &address) {
      body(
        $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
    }
  }

  /// Carries bytes both ways until `done`, for at most 20 s.
  func drive(
    _ session: any SecureSession, until done: () -> Bool,
    handling handle: (SecureSessionOutput) -> Void
  ) {
    var elapsed = Instant.zero
    let start = ContinuousClock.now
    let tick = {
      let passed = (ContinuousClock.now - start).components
      elapsed = .zero + .seconds(Double(passed.seconds) + Double(passed.attoseconds) * 1e-18)
    }
    session.start(at: .zero)
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while !done(), elapsed - .zero < .seconds(20) {
      tick()
      while let output = session.nextOutput() {
        if case .transmit(let bytes) = output, isConnected || !isListener {
          _ = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        }
        handle(output)
      }
      if done() { break }
      var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      if poll(&waiting, 1, 10) > 0 {
        if isListener, !isConnected { connectToFirst() }
        let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        if count > 0 { session.receive(Array(buffer[..<count]), at: elapsed) }
        if count == 0, carrier == .stream { break }
      }
      if let deadline = session.nextDeadline, elapsed >= deadline.at {
        session.handleTimeout(at: elapsed)
      }
    }
    while let output = session.nextOutput() { handle(output) }
  }

  /// Accepts, or binds a datagram socket to whoever sent first.
  private func connectToFirst() {
    isConnected = true
    if carrier == .stream {
      let accepted = accept(descriptor, nil, nil)
      close(descriptor)
      descriptor = accepted
      return
    }
    var address = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    var byte: UInt8 = 0
    _ = withUnsafeMutableBytes(of: &address) {
      recvfrom(
        descriptor, &byte, 1, Int32(MSG_PEEK),
        $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), &length)
    }
    _ = Self.withAddress(&address) { connect(descriptor, $0, $1) }
  }
}
