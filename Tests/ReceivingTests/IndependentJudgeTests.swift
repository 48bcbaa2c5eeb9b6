import ErasureCoding
import Foundation
import Glibc
import Media
import Receiving
import Sending
import Testing
import Units
import Wire

/// ffmpeg, which knows nothing of p2pcall, decodes what the sender sends from a description of four
/// lines: every picture must be bit-exact what libvpx's test vector says.
@Suite struct IndependentJudgeTests {
  @Test func `ffmpeg decodes our RTP packets of a VP8 vector bit-exactly`() throws {
    guard let vector = vector("vp80-00-comprehensive-001") else {
      print("skipped: no VP8 vectors beside the repository (P2PCALL_SHARED) or no ffmpeg")
      return
    }
    let frames = vector.frames
    let socket = try UDPSocket()
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "p2pcall-judge-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let description = folder.appendingPathComponent("call.sdp")
    try """
    v=0
    o=- 0 0 IN IP4 127.0.0.1
    s=-
    c=IN IP4 127.0.0.1
    t=0 0
    m=video \(socket.port) RTP/AVP \(MediaStream.PayloadType.vp8)
    a=rtpmap:\(MediaStream.PayloadType.vp8) VP8/90000

    """.write(to: description, atomically: true, encoding: .utf8)

    let ffmpeg = Process()
    ffmpeg.executableURL = URL(fileURLWithPath: "/usr/bin/ffmpeg")
    ffmpeg.arguments = [
      "-v", "error", "-protocol_whitelist", "file,udp,rtp", "-i", description.path,
      "-frames:v", "40", "-fps_mode", "passthrough", "-f", "framemd5",
      folder.appendingPathComponent("pictures.md5").path,
    ]
    ffmpeg.standardInput = FileHandle.nullDevice
    ffmpeg.standardError = FileHandle.nullDevice
    try ffmpeg.run()
    defer { if ffmpeg.isRunning { ffmpeg.terminate() } }

    // The vector again and again, each time beginning with its key frame, until ffmpeg, whenever
    // it began to listen, has seen 40 pictures.
    var sender = MediaSender(erasureCode: CauchyErasureCode())
    var now = Instant(nanoseconds: 1_000_000_000)
    for number in 0..<3_000 where ffmpeg.isRunning {
      let frame = frames[number % frames.count]
      sender.handle(
        .video(
          EncodedVideoFrame(
            bytes: frame, isKeyFrame: number % frames.count == 0,
            size: PictureSize(width: 176, height: 144), capturedAt: now)), at: now)
      let end = now + .milliseconds(33)
      while true {
        while let output = sender.nextOutput() {
          if case .packet(let bytes) = output {
            socket.send(bytes)
            // The receiver's answer, so that the sender goes on.
            if let packet = try? RTPPacket(decoding: bytes), let index = packet.transportSequence {
              let feedback = TransportFeedback(
                reporter: 2, source: 0, base: index,
                referenceTime: UInt32(truncatingIfNeeded: now.nanoseconds / 64_000_000), count: 0,
                arrivals: [Int16(now.nanoseconds % 64_000_000 / 250_000)])
              sender.handle(
                .feedback(RTCPCompound([.transportFeedback(feedback)]).encoded[...]), at: now)
            }
          }
        }
        guard let deadline = sender.nextDeadline, deadline.at < end else { break }
        now = max(now, deadline.at)
        sender.handle(.timeout, at: now)
      }
      now = end
      usleep(10_000)
    }
    ffmpeg.waitUntilExit()
    #expect(ffmpeg.terminationStatus == 0)
    let lines = try String(
      contentsOf: folder.appendingPathComponent("pictures.md5"), encoding: .utf8
    ).split(separator: "\n").filter { !$0.hasPrefix("#") }
    let seen = lines.compactMap { $0.split(separator: ",").last.map { $0.drop { $0 == " " } } }
    #expect(seen.count == 40)
    // In the vector's order, from wherever it began.
    let places = seen.map { hash in vector.hashes.firstIndex(of: String(hash)) }
    #expect(places.allSatisfy { $0 != nil }, "every picture is one of the vector's")
    let known = places.compactMap { $0 }
    let steps = zip(known, known.dropFirst()).count { ($0 + 1) % frames.count == $1 }
    #expect(steps >= 38)
  }

  private func vector(_ name: String) -> (frames: [[UInt8]], hashes: [String])? {
    let beside = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("shared").path
    let shared = ProcessInfo.processInfo.environment["P2PCALL_SHARED"] ?? beside
    let path = "\(shared)/vectors/vp8/\(name).ivf"
    guard FileManager.default.isExecutableFile(atPath: "/usr/bin/ffmpeg"),
      let data = FileManager.default.contents(atPath: path),
      let text = try? String(contentsOfFile: path + ".md5", encoding: .utf8)
    else { return nil }
    let bytes = [UInt8](data)
    var frames: [[UInt8]] = []
    var at = 32
    while at + 12 <= bytes.count {
      let count = (0..<4).reduce(0) { $0 | Int(bytes[at + $1]) << (8 * $1) }
      guard at + 12 + count <= bytes.count else { break }
      frames.append(Array(bytes[at + 12..<at + 12 + count]))
      at += 12 + count
    }
    return (frames, text.split(separator: "\n").map { String($0.prefix(32)) })
  }
}

/// Sends to a port of this computer that was free a moment ago.
private final class UDPSocket {
  let port: UInt16
  private let descriptor: Int32
  private var address: sockaddr_in

  struct Failure: Error {}

  init() throws {
    descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    let probe = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    defer { close(probe) }
    address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    // RTP wants an even port, and ffmpeg binds the next one for RTCP.
    var found: UInt16?
    for candidate in stride(from: UInt16(42_000), to: 60_000, by: 2) where found == nil {
      address.sin_port = candidate.bigEndian
      let bound = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(probe, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
      if bound == 0 { found = candidate }
    }
    guard descriptor >= 0, let found else { throw Failure() }
    port = found
  }

  deinit { close(descriptor) }

  func send(_ bytes: [UInt8]) {
    _ = bytes.withUnsafeBytes { buffer in
      withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          sendto(
            descriptor, buffer.baseAddress, buffer.count, 0, $0,
            socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
    }
  }
}
