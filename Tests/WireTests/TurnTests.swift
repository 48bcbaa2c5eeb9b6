import Testing
import Units
import Wire

/// TURN's messages (RFC 8656) and long-term credentials (RFC 8489 §9.2), byte by byte.
@Suite struct TurnTests {
  private let transaction = [UInt8](1...12)
  private let cookie: [UInt8] = [0x21, 0x12, 0xA4, 0x42]
  private let peer = SocketAddress(.v4(192, 0, 2, 1), port: 32_853)
  /// The same, masked: port ^ 0x2112, address ^ cookie.
  private let maskedPeer: [UInt8] = [0, 1, 0xA1, 0x47, 0xE1, 0x12, 0xA6, 0x43]

  private func message(
    _ kind: StunMessage.Class, _ method: StunMessage.Method, _ attributes: [StunAttribute]
  ) -> StunMessage {
    var message = StunMessage(
      kind, method: method, transactionID: transaction, attributes: attributes)
    message.hasFingerprint = false
    return message
  }

  @Test func `an Allocate request with a long-term credential`() {
    var request = message(
      .request, .allocate,
      [
        .requestedTransport(17), .requestedAddressFamily(.v6), .lifetime(600),
        .username(Array("1:a".utf8)), .realm(Array("r".utf8)), .nonce(Array("none".utf8)),
      ])
    request.integrity = [UInt8](repeating: 0xAA, count: 20)
    checkMessage(
      request,
      golden: [0x00, 0x03, 0, 72] + cookie + transaction
        + [0x00, 0x19, 0, 4, 17, 0, 0, 0]  // REQUESTED-TRANSPORT: UDP
        + [0x00, 0x17, 0, 4, 2, 0, 0, 0]  // REQUESTED-ADDRESS-FAMILY: IPv6
        + [0x00, 0x0D, 0, 4, 0, 0, 2, 0x58]  // LIFETIME
        + [0x00, 0x06, 0, 3] + Array("1:a".utf8) + [0]  // USERNAME
        + [0x00, 0x14, 0, 1] + Array("r".utf8) + [0, 0, 0]  // REALM
        + [0x00, 0x15, 0, 4] + Array("none".utf8)  // NONCE
        + [0x00, 0x08, 0, 20] + [UInt8](repeating: 0xAA, count: 20))  // MESSAGE-INTEGRITY
  }

  @Test func `an Allocate request under SHA-256`() {
    var request = message(
      .request, .allocate,
      [
        .userHash([UInt8](repeating: 7, count: 32)),
        .passwordAlgorithms([.sha256, StunPasswordAlgorithm(number: 9, parameters: [1]), .md5]),
        .passwordAlgorithm(.sha256),
      ])
    request.integrity = [UInt8](repeating: 0xBB, count: 32)
    checkMessage(
      request,
      golden: [0x00, 0x03, 0, 100] + cookie + transaction
        + [0x00, 0x1E, 0, 32] + [UInt8](repeating: 7, count: 32)  // USERHASH
        // PASSWORD-ALGORITHMS, each padded
        + [0x80, 0x02, 0, 16, 0, 2, 0, 0, 0, 9, 0, 1, 1, 0, 0, 0, 0, 1, 0, 0]
        + [0x00, 0x1D, 0, 4, 0, 2, 0, 0]  // PASSWORD-ALGORITHM
        + [0x00, 0x1C, 0, 32] + [UInt8](repeating: 0xBB, count: 32))  // MESSAGE-INTEGRITY-SHA256
  }

  @Test func `an Allocate response`() {
    checkMessage(
      message(
        .success, .allocate,
        [
          .xorRelayedAddress(peer), .xorMappedAddress(peer), .mappedAddress(peer),
          .lifetime(3_600), .software(Array("None".utf8)),
        ]),
      golden: [0x01, 0x03, 0, 52] + cookie + transaction
        + [0x00, 0x16, 0, 8] + maskedPeer  // XOR-RELAYED-ADDRESS
        + [0x00, 0x20, 0, 8] + maskedPeer  // XOR-MAPPED-ADDRESS
        + [0x00, 0x01, 0, 8, 0, 1, 0x80, 0x55, 192, 0, 2, 1]  // MAPPED-ADDRESS
        + [0x00, 0x0D, 0, 4, 0, 0, 0x0E, 0x10]  // LIFETIME
        + [0x80, 0x22, 0, 4] + Array("None".utf8))  // SOFTWARE
  }

  @Test func `a refusal that names another server`() {
    let ip = IPAddress(bytes: [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0x11, count: 12))!
    checkMessage(
      message(
        .error, .allocate,
        [
          .errorCode(300, reason: Array("try".utf8)),
          .alternateServer(SocketAddress(ip, port: 3_478)),
        ]),
      golden: [0x01, 0x13, 0, 36] + cookie + transaction
        + [0x00, 0x09, 0, 7, 0, 0, 3, 0] + Array("try".utf8) + [0]  // ERROR-CODE
        // ALTERNATE-SERVER: not masked
        + [0x80, 0x23, 0, 20, 0, 2, 0x0D, 0x96, 0x20, 0x01, 0x0D, 0xB8]
        + [UInt8](repeating: 0x11, count: 12))
  }

  @Test func `Refresh, CreatePermission and ChannelBind requests`() {
    checkMessage(
      message(.request, .refresh, [.lifetime(0)]),
      golden: [0x00, 0x04, 0, 8] + cookie + transaction + [0x00, 0x0D, 0, 4, 0, 0, 0, 0])
    checkMessage(
      message(.request, .createPermission, [.xorPeerAddress(peer)]),
      golden: [0x00, 0x08, 0, 12] + cookie + transaction + [0x00, 0x12, 0, 8] + maskedPeer)
    checkMessage(
      message(.request, .channelBind, [.channelNumber(0x4001), .xorPeerAddress(peer)]),
      golden: [0x00, 0x09, 0, 20] + cookie + transaction
        + [0x00, 0x0C, 0, 4, 0x40, 0x01, 0, 0] + [0x00, 0x12, 0, 8] + maskedPeer)
  }

  @Test func `Send and Data indications`() {
    for (method, type) in [(StunMessage.Method.send, UInt8(0x16)), (.data, 0x17)] {
      checkMessage(
        message(.indication, method, [.xorPeerAddress(peer), .data([1, 2, 3, 4, 5])]),
        golden: [0x00, type, 0, 24] + cookie + transaction + [0x00, 0x12, 0, 8] + maskedPeer
          + [0x00, 0x13, 0, 5, 1, 2, 3, 4, 5, 0, 0, 0])
    }
  }

  @Test func `texts that are longer than the RFC lets them be are refused`() throws {
    for number in [
      StunAttribute.Number.realm, StunAttribute.Number.nonce,
      StunAttribute.Number.software,
    ] {
      for (count, isTaken) in [(763, true), (764, false)] {
        let bytes = message(
          .error, .allocate,
          [.unknown(number: number, value: [UInt8](repeating: 97, count: count))]
        ).encoded
        #expect(((try? StunMessage(decoding: bytes)) != nil) == isTaken, "\(number) of \(count)")
      }
    }
  }

  @Test func `an integrity of another length than its hash's is refused`() {
    for (number, right) in [
      (StunAttribute.Number.messageIntegrity, 20),
      (StunAttribute.Number.messageIntegritySHA256, 32),
    ] {
      for count in stride(from: 16, through: 36, by: 4) {
        let bytes = message(
          .success, .refresh,
          [.unknown(number: number, value: [UInt8](repeating: 1, count: count))]
        ).encoded
        #expect(((try? StunMessage(decoding: bytes)) != nil) == (count == right), "\(count)")
      }
    }
  }

  @Test func `signing with SHA-256 covers a length that counts the longer signature`() {
    var covered: [UInt8] = []
    _ = message(.request, .refresh, [.lifetime(0)]).signed(by: .sha256) {
      covered = $0
      return [UInt8](repeating: 7, count: 32)
    }
    #expect(covered.count == 28)
    #expect(covered[3] == 8 + 36)
  }

  // MARK: Channels

  @Test func `channel data`() {
    checkMessage(
      ChannelData(channel: 0x4001, data: [9, 8, 7]), golden: [0x40, 0x01, 0, 3, 9, 8, 7])
    checkMessage(ChannelData(channel: 0x4FFF, data: []), golden: [0x4F, 0xFF, 0, 0])
  }

  @Test func `channels above those of RFC 8656 are refused`() {
    #expect((try? ChannelData(decoding: [0x50, 0, 0, 0])) == nil)
    #expect((try? ChannelData(decoding: [0x3F, 0xFF, 0, 0])) == nil)
  }

  @Test func `a datagram of channel data may be padded, and no more`() {
    let bytes: [UInt8] = [0x40, 0, 0, 2, 5, 6]
    for more in 0...3 {
      let found = try? ChannelData(datagram: bytes + [UInt8](repeating: 1, count: more))
      #expect((found?.data == [5, 6]) == (more <= 2), "\(more) bytes more")
    }
    #expect(ChannelData.isChannelData(bytes))
    #expect(!ChannelData.isChannelData([]))
    #expect(!ChannelData.isChannelData([0x00, 0x01]))
    #expect(!ChannelData.isChannelData([0x80, 0x01]))
  }

  // MARK: Streams

  private var parts: [[UInt8]] {
    [
      message(.success, .allocate, [.lifetime(600), .software(Array("x".utf8))]).encoded,
      ChannelData(channel: 0x4000, data: [1]).padded,
      ChannelData(channel: 0x4001, data: []).padded,
      message(.indication, .data, [.xorPeerAddress(peer), .data([1, 2, 3])]).encoded,
      ChannelData(channel: 0x4002, data: [1, 2, 3, 4]).padded,
    ]
  }
  /// As `parts`, without the padding of channel data.
  private var unpadded: [[UInt8]] {
    let parts = parts
    return [parts[0], Array(parts[1].prefix(5)), parts[2], parts[3], parts[4]]
  }

  @Test func `a stream is cut into messages, however its bytes come`() throws {
    #expect(parts.allSatisfy { $0.count % 4 == 0 })
    let stream = parts.flatMap(\.self)
    for size in [1, 2, 3, 5, 19, 21, stream.count] {
      var splitter = TurnSplitter()
      var found: [[UInt8]] = []
      for start in stride(from: 0, to: stream.count, by: size) {
        splitter.push(Array(stream[start..<min(start + size, stream.count)]))
        while let message = try splitter.next() { found.append(message) }
      }
      #expect(found == unpadded, "by \(size)")
    }
  }

  @Test func `a stream cut short gives only its whole messages`() throws {
    let stream = parts.flatMap(\.self)
    for count in 0..<stream.count {
      var splitter = TurnSplitter()
      splitter.push(Array(stream[..<count]))
      var found: [[UInt8]] = []
      while let message = try splitter.next() { found.append(message) }
      #expect(found == Array(unpadded.prefix(found.count)), "\(count) bytes")
      #expect(found.count < parts.count)
    }
  }

  @Test(
    arguments: [
      [0x80, 0, 0, 0], [0xC0, 0, 0, 0], [0x50, 0, 0, 0],
      [0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x43], [0, 1, 0, 3, 0x21, 0x12, 0xA4, 0x42],
    ] as [[UInt8]])
  func `a stream of something else is refused at once`(bytes: [UInt8]) {
    var splitter = TurnSplitter()
    splitter.push(bytes)
    #expect(throws: WireError.self) { try splitter.next() }
  }

  @Test func `the longest messages pass`() throws {
    var splitter = TurnSplitter()
    let data = ChannelData(channel: 0x4000, data: [UInt8](repeating: 3, count: 65_535))
    splitter.push(data.padded)
    #expect(try splitter.next() == data.encoded)
    splitter.push([0, 1, 0xFF, 0xFC] + cookie + [UInt8](repeating: 0, count: 65_532 + 12))
    #expect(try splitter.next()?.count == 65_552)
  }

  @Test func `random bytes never trap the splitter`() {
    var random = SeededRandom(seed: 8_656)
    let stream = parts.flatMap(\.self)
    for _ in 0..<2_000 {
      var bytes = stream
      for _ in 0..<3 { bytes[Int.random(in: bytes.indices, using: &random)] = random.bytes(1)[0] }
      var splitter = TurnSplitter()
      splitter.push(bytes)
      splitter.push(random.bytes(40))
      while let message = try? splitter.next() {
        _ = try? StunMessage.Received(message)
        _ = try? ChannelData(datagram: message)
      }
    }
  }
}
