import CLinux
import Encryption
import ErasureCoding
import Judging
import Links
import Media
import Receiving
import Runtime
import Sending
import Units
import Wire

/// B12: what a packet of a picture costs in user space on its way out and in: cutting, history and
/// pacing, framing, sealing and collecting for one system call; opening, reassembly and reports.
///
/// Pictures of eight packets go through two real sockets of the loopback and two OpenSSL sessions, in
/// virtual time as far as the state machines are concerned: 30 a second, without waiting. The thread's
/// own processor time is read between the parts; the two system calls are parts of their own.
struct PacketPath {
  private static let pictures = 6_000
  private static let warmUp = 300
  private static let pictureBytes = 8 * 1_080
  private static let size = PictureSize(width: 1_280, height: 720)
  private static let interval = Interval.seconds(1.0 / 30)

  private struct Cost {
    var packets = 0
    var bytes = 0
    var user = Int64(0)
    var kernel = Int64(0)
    var microseconds: Double? { packets > 0 ? Double(user) / 1_000 / Double(packets) : nil }
    var kernelMicroseconds: Double? {
      packets > 0 ? Double(kernel) / 1_000 / Double(packets) : nil
    }
  }

  private let outgoing: UDPSocket
  private let incoming: UDPSocket
  private let client: any SecureSession
  private let server: any SecureSession
  private var sender = MediaSender(erasureCode: CauchyErasureCode())
  private var receiver = MediaReceiver(erasureCode: CauchyErasureCode())
  private var frames = BufferRing(count: 4, room: 64)
  private var datagrams: [[UInt8]] = []
  private var now = Instant.zero + .seconds(1_000)
  private var out = Cost()
  private var back = Cost()
  private var decoded = 0
  private var clock = Int64(0)
  /// What reading the clock takes by itself, which every part would be charged with.
  private let clockCost: Int64

  private init() throws(BenchError) {
    let count = 20_000
    let begun = Self.processorTime()
    for _ in 1..<count { _ = Self.processorTime() }
    clockCost = (Self.processorTime() - begun) / Int64(count)
    do {
      outgoing = try UDPSocket(boundTo: SocketAddress(.loopbackV4, port: 0))
      incoming = try UDPSocket(boundTo: SocketAddress(.loopbackV4, port: 0))
    } catch { throw BenchError("\(error)") }
    let (near, far) = (
      OpenSSLSessionFactory(LinkCertificate()), OpenSSLSessionFactory(LinkCertificate())
    )
    client = near.makeSession(.datagram, role: .client, expectedKeyHash: far.certificateKeyHash)
    server = far.makeSession(.datagram, role: .server, expectedKeyHash: near.certificateKeyHash)
  }

  static func measure() throws(BenchError) -> Report {
    var path = try PacketPath()
    try path.shakeHands()
    path.run()
    let wanted = pictures + warmUp
    var report = Report("B12")
    report.add(
      "a packet of \(path.out.bytes / max(1, path.out.packets)) bytes, one of eight of a picture",
      [
        .goal("out, user space", 1.5, "µs", seen: path.out.microseconds),
        .goal("in, user space", 1.5, "µs", seen: path.back.microseconds),
        .shown("out, sendmmsg", "µs", seen: path.out.kernelMicroseconds),
        .shown("in, recvmmsg", "µs", seen: path.back.kernelMicroseconds),
        .shown(
          "packets a picture", "", seen: Double(path.out.packets) / Double(pictures)),
        .atLeast("pictures that came", 99, "%", seen: 100 * Double(path.decoded) / Double(wanted)),
      ])
    return report
  }

  private mutating func shakeHands() throws(BenchError) {
    server.start(at: now)
    client.start(at: now)
    var established = 0
    for _ in 0..<50 where established < 2 {
      for (session, other) in [(client, server), (server, client)] {
        while let output = session.nextOutput() {
          switch output {
          case .transmit(let bytes): other.receive(bytes, at: now)
          case .established: established += 1
          default: break
          }
        }
      }
    }
    guard established == 2 else { throw BenchError("the two sessions did not shake hands") }
  }

  private mutating func run() {
    sender.handle(.limit(.kilobits(20_000)), at: now)
    sender.handle(.source(Self.size, framesPerSecond: 30), at: now)
    sender.handle(.roundTrip(.milliseconds(1)), at: now)
    receiver.handle(.roundTrip(.milliseconds(1)), at: now)
    for number in 0..<Self.pictures + Self.warmUp {
      if number == Self.warmUp { (out, back) = (Cost(), Cost()) }
      let frame = EncodedVideoFrame(
        bytes: picture(isKey: number == 0), isKeyFrame: number == 0, size: Self.size,
        capturedAt: now)
      let end = now + Self.interval
      clock = Self.processorTime()
      sender.handle(.video(frame), at: now)
      send()
      take()
      while let next = nextDeadline, next < end {
        now = max(now, next)
        clock = Self.processorTime()
        if let due = sender.nextDeadline, due.at <= now { sender.handle(.timeout, at: now) }
        send()
        if let due = receiver.nextDeadline, due.at <= now { receiver.handle(.timeout, at: now) }
        take()
      }
      now = end
    }
  }

  private var nextDeadline: Instant? {
    [sender.nextDeadline, receiver.nextDeadline].compactMap { $0?.at }.min()
  }

  /// From the sender's outputs to the wire.
  private mutating func send() {
    var count = 0
    while let output = sender.nextOutput() {
      switch output {
      case .packet(let bytes): seal(Frame(.rtp, bytes))
      case .report(let bytes): seal(Frame(.rtcp, bytes))
      default: break
      }
    }
    while let output = client.nextOutput() {
      guard case .transmit(let bytes) = output else { continue }
      count += 1
      out.bytes += bytes.count
      outgoing.send(bytes, to: incoming.localAddress)
    }
    out.packets += count
    lap(\.out.user)
    if count == 0 { return }
    outgoing.flush()
    lap(\.out.kernel)
  }

  /// As `PeerLink` does.
  private mutating func seal(_ frame: Frame) {
    client.send(frames.make { frame.encode(to: &$0) }, at: now)
  }

  /// From the wire to whole pictures, and the receiver's reports back.
  private mutating func take() {
    datagrams.removeAll(keepingCapacity: true)
    while incoming.receive({ bytes, _ in datagrams.append(bytes) }) {}
    lap(\.back.kernel)
    for bytes in datagrams { server.receive(bytes, at: now) }
    while let output = server.nextOutput() {
      guard case .received(let bytes) = output, let frame = try? Frame(decoding: bytes) else {
        continue
      }
      receiver.handle(frame.kind == .rtp ? .packet(frame.body) : .report(frame.body), at: now)
    }
    var reports: [[UInt8]] = []
    while let output = receiver.nextOutput() {
      switch output {
      case .decode: decoded += 1
      case .report(let bytes): reports.append(bytes)
      case .audio, .audioHold: break
      }
    }
    back.packets += datagrams.count
    lap(\.back.user)
    for report in reports { sender.handle(.feedback(report[...]), at: now) }
    if !reports.isEmpty { send() }
  }

  private mutating func lap(_ part: WritableKeyPath<PacketPath, Int64>) {
    let read = Self.processorTime()
    self[keyPath: part] += max(0, read - clock - clockCost)
    clock = read
  }

  /// A VP8 frame's header (RFC 6386 §9.1) and filling.
  private func picture(isKey: Bool) -> [UInt8] {
    let (width, height) = (Self.size.width, Self.size.height)
    var bytes: [UInt8] = isKey ? [0x10, 0, 0, 0x9D, 0x01, 0x2A] : [0x11, 0, 0]
    if isKey { bytes += [width, width >> 8, height, height >> 8].map { UInt8($0 & 255) } }
    return bytes + [UInt8](repeating: 0xA5, count: Self.pictureBytes - bytes.count)
  }

  /// Nanoseconds that this thread has taken so far, user and system.
  static func processorTime() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
