import Encryption
import ErasureCoding
import Links
import Media
import Receiving
import Sending
import Testing
import Units
import Wire

/// One direction of a call without its sockets: pictures and sound through `MediaSender`, two OpenSSL
/// sessions and `MediaReceiver`, in virtual time, on a line that takes none.
struct PacketWay {
  private var sender = MediaSender(erasureCode: CauchyErasureCode())
  private var receiver = MediaReceiver(erasureCode: CauchyErasureCode())
  private let client: any SecureSession
  private let server: any SecureSession
  private var frames = BufferRing(count: 4, room: 64)
  private var now = Instant.zero + .seconds(1_000)

  private let key: [UInt8]
  private let usual: [UInt8]
  private let sound = [UInt8](repeating: 0x78, count: 80)

  /// Datagrams that were sealed, and pictures that came out whole.
  private(set) var counted = (packets: 0, pictures: 0)

  private static let size = PictureSize(width: 1_280, height: 720)
  private static let interval = Interval.seconds(1.0 / 30)

  init(roundTrip: Interval, packetsOfPicture count: Int) throws {
    key = Self.picture(isKey: true, bytes: count * 1_080)
    usual = Self.picture(isKey: false, bytes: count * 1_080)
    let (near, far) = (
      OpenSSLSessionFactory(LinkCertificate()), OpenSSLSessionFactory(LinkCertificate())
    )
    client = near.makeSession(.datagram, role: .client, expectedKeyHash: far.certificateKeyHash)
    server = far.makeSession(.datagram, role: .server, expectedKeyHash: near.certificateKeyHash)
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
    try #require(established == 2)
    sender.handle(.limit(.kilobits(12_000)), at: now)
    sender.handle(.source(Self.size, framesPerSecond: 30), at: now)
    sender.handle(.roundTrip(roundTrip), at: now)
    receiver.handle(.roundTrip(roundTrip), at: now)
  }

  /// So many pictures, the first of all a key frame.
  mutating func run(pictures count: Int) {
    for number in 0..<count {
      let isKey = counted.packets == 0 && number == 0
      let frame = EncodedVideoFrame(
        bytes: isKey ? key : usual, isKeyFrame: isKey, size: Self.size, capturedAt: now)
      sender.handle(.video(frame), at: now)
      sender.handle(
        .audio(EncodedAudioFrame(bytes: sound, samples: 960, capturedAt: now)), at: now)
      carry()
      let end = now + Self.interval
      while let next = Deadline.earlier(sender.nextDeadline, receiver.nextDeadline), next.at < end {
        now = max(now, next.at)
        if let due = sender.nextDeadline, due.at <= now { sender.handle(.timeout, at: now) }
        if let due = receiver.nextDeadline, due.at <= now { receiver.handle(.timeout, at: now) }
        carry()
      }
      now = end
    }
  }

  /// Until neither side has anything to say.
  private mutating func carry() {
    var isBusy = true
    while isBusy {
      isBusy = false
      while let output = sender.nextOutput() {
        isBusy = true
        switch output {
        case .packet(let bytes): seal(Frame(.rtp, bytes))
        case .report(let bytes): seal(Frame(.rtcp, bytes))
        default: break
        }
      }
      while let output = client.nextOutput() {
        guard case .transmit(let datagram) = output else { continue }
        counted.packets += 1
        server.receive(datagram, at: now)
      }
      while let output = server.nextOutput() {
        guard case .received(let bytes) = output, let frame = try? Frame(decoding: bytes) else {
          continue
        }
        receiver.handle(frame.kind == .rtp ? .packet(frame.body) : .report(frame.body), at: now)
      }
      while let output = receiver.nextOutput() {
        switch output {
        case .decode: counted.pictures += 1
        case .report(let bytes):
          isBusy = true
          sender.handle(.feedback(bytes[...]), at: now)
        case .audio, .audioHold: break
        }
      }
    }
  }

  private mutating func seal(_ frame: Frame) {
    client.send(frames.make { frame.encode(to: &$0) }, at: now)
  }

  /// A VP8 frame's header (RFC 6386 §9.1) and filling.
  private static func picture(isKey: Bool, bytes count: Int) -> [UInt8] {
    var bytes: [UInt8] = isKey ? [0x10, 0, 0, 0x9D, 0x01, 0x2A] : [0x11, 0, 0]
    if isKey {
      bytes += [size.width, size.width >> 8, size.height, size.height >> 8].map { UInt8($0 & 255) }
    }
    return bytes + [UInt8](repeating: 0xA5, count: count - bytes.count)
  }
}
