import Ciphers
import Encryption
import Foundation
import Links
import Rooms
import Testing
import Wire

/// docs/vectors.json, which fixes every derived value of docs/protocol.md.
@Suite struct VectorTests {
  let suite = OpenSSLCipherSuite()
  private static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  private struct Vector {
    let name: String
    let given: Values
    let expected: Values
  }

  private struct Values {
    let fields: [String: Any]

    func text(_ key: String) throws -> String { try #require(fields[key] as? String) }
    func bytes(_ key: String) throws -> [UInt8] { EncryptionTests.bytes(try text(key)) }
    func number(_ key: String) throws -> UInt64 {
      try #require(fields[key] as? NSNumber).uint64Value
    }
    func flag(_ key: String) throws -> Bool { try #require(fields[key] as? NSNumber).boolValue }
    func values(_ key: String) throws -> Values {
      Values(fields: try #require(fields[key] as? [String: Any]))
    }
    func list(_ key: String) throws -> [[UInt8]] {
      try #require(fields[key] as? [String]).map { EncryptionTests.bytes($0) }
    }
    func session(_ key: String) throws -> SessionID {
      try #require(SessionID(bytes: try bytes(key)))
    }
  }

  private func vectors(_ kind: String, atLeast count: Int = 1) throws -> [Vector] {
    let data = try Data(contentsOf: Self.root.appendingPathComponent("docs/vectors.json"))
    let document = try #require(
      try JSONSerialization.jsonObject(with: data) as? [String: Any])
    let all = try #require(document["vectors"] as? [[String: Any]])
    let found = try all.filter { $0["kind"] as? String == kind }.map { vector in
      let values = Values(fields: vector)
      return Vector(
        name: try values.text("name"), given: try values.values("given"),
        expected: try values.values("expected"))
    }
    #expect(found.count >= count)
    return found
  }

  @Test func `room ids`() throws {
    for vector in try vectors("room", atLeast: 3) {
      let room = RoomID.create(
        flags: RoomFlags(rawValue: UInt8(try vector.given.number("flags"))),
        ownerKeyInfo: try vector.given.bytes("ownerKeyInfo"),
        nonce: try vector.given.bytes("nonce"), with: suite)
      #expect([room.head] == (try vector.expected.bytes("head")), "\(vector.name)")
      #expect(room.secret == (try vector.expected.bytes("secret")), "\(vector.name)")
      #expect(room.text == (try vector.expected.text("text")), "\(vector.name)")
    }
  }

  @Test func `keys, with and without password`() throws {
    let rooms = try vectors("room").map { try RoomID(text: $0.expected.text("text")) }
    for vector in try vectors("keys", atLeast: 2) {
      let secret = try vector.given.bytes("secret")
      let room = try #require(rooms.first { $0.secret == secret })
      let keys = try RoomKeys(
        room, password: vector.given.fields["password"] as? String, folding: UnistringFolding(),
        with: suite)
      #expect(keys.authentication == (try vector.expected.bytes("K_auth")), "\(vector.name)")
      #expect(keys.box == (try vector.expected.bytes("K_box")), "\(vector.name)")
      #expect(keys.charter == (try vector.expected.bytes("K_room")), "\(vector.name)")
      #expect(keys.admissionSeed == (try vector.expected.bytes("admitSeed")), "\(vector.name)")
      #expect(keys.admissionKey == (try vector.expected.bytes("admitKey")), "\(vector.name)")
      #expect(keys.rid == (try vector.expected.bytes("rid")), "\(vector.name)")
      #expect(keys.hint(with: suite) == (try vector.expected.text("hint")), "\(vector.name)")
    }
  }

  @Test func `admission vectors hold`() throws {
    for vector in try vectors("admission", atLeast: 2) {
      let given = vector.given
      let statement = AdmissionStatement(
        try #require(AdmissionStatement.Operation(rawValue: try given.text("operation"))),
        session: try given.session("sid"), peerID: try given.bytes("peerID"),
        fields: try given.bytes("fields"), exported: try given.bytes("exporter"))
      let rid = try given.bytes("rid")
      #expect(statement.signed(rid: rid) == (try vector.expected.bytes("statement")))
      let admission = statement.admission(seed: try given.bytes("admitSeed"), with: suite)
      #expect(admission.rid == rid)
      #expect(admission.signature == (try vector.expected.bytes("signature")))
      #expect(statement.isProved(by: admission, with: suite))
    }
  }

  @Test func `box vectors hold`() throws {
    for vector in try vectors("box", atLeast: 2) {
      let given = vector.given
      let channel = BoxChannel(
        rid: try given.bytes("rid"), from: try given.session("from"), to: try given.session("to"))
      let key = try given.bytes("K_box")
      let content = try given.bytes("content")
      let sealed = try vector.expected.bytes("sealed")
      #expect(
        channel.seal(content, sequence: try given.number("sequence"), boxKey: key, with: suite)
          == sealed)
      let opened = try #require(channel.open(sealed, boxKey: key, with: suite))
      #expect(opened.content == content)
      #expect(opened.sequence == (try given.number("sequence")))
      #expect(try LinkDescription(decoding: content).encoded == content)
    }
  }

  @Test func `charter vectors hold`() throws {
    let vector = try #require(try vectors("charter").first)
    let given = vector.given
    let policy = try given.values("policy")
    let charter = RoomCharter(
      ownerKeyInfo: try given.bytes("ownerKeyInfo"), nonce: try given.bytes("nonce"),
      policy: RoomPolicy(
        isLocked: try policy.flag("isLocked"), hasLobby: try policy.flag("hasLobby"),
        expiry: try policy.number("expiry"), size: UInt16(try policy.number("size")),
        epoch: UInt32(try policy.number("epoch")), allowed: try policy.list("allowed"),
        banned: try policy.list("banned")),
      version: UInt32(try given.number("version")), signature: try given.bytes("signature"))
    let room = try RoomID(
      text: try #require(try vectors("room").first).expected.text("text"))
    let keys = try RoomKeys(room, with: suite)
    #expect(keys.charter == (try given.bytes("K_room")))
    #expect(charter.unsigned == (try vector.expected.bytes("unsigned")))
    #expect(keys.statement(of: charter) == (try vector.expected.bytes("statement")))
    let sealed = try vector.expected.bytes("sealed")
    #expect(keys.sealed(charter, iv: try given.bytes("iv"), with: suite) == sealed)
    #expect(try keys.opened(sealed, with: suite) == charter)
  }

  @Test func `fingerprint vectors hold`() throws {
    let vector = try #require(try vectors("pin").first)
    let hash = suite.sha256(try vector.given.bytes("keyInfo"))
    #expect(hash == (try vector.expected.bytes("peerID")))
    let text = try vector.expected.text("text")
    #expect(KeyFingerprint(bytes: hash)?.description == text)
    #expect(KeyFingerprint(text: text)?.bytes == hash)
  }

  @Test func `the link handshake's proofs and identities`() throws {
    let vector = try #require(try vectors("link").first)
    let given = vector.given
    let identities = [P256Identity.generate(), .generate()]
    func handshake(_ role: SessionRole, own: String, other: String) throws -> Handshake {
      Handshake(
        LinkHubConfiguration(
          roomID: try given.bytes("rid"), ownSession: try given.session("sid_\(own)"),
          authenticationKey: try given.bytes("K_auth"), displayName: own,
          capabilities: 0, sessions: NamedKey(hash: try given.bytes("spki_\(own)")), ciphers: suite,
          identity: identities[role == .client ? 0 : 1], allowsLoopback: false),
        role: role,
        expecting: .init(
          session: try given.session("sid_\(other)"),
          certificateKeyHash: try given.bytes("spki_\(other)")))
    }
    var client = try handshake(.client, own: "C", other: "S")
    var server = try handshake(.server, own: "S", other: "C")
    let exporter = try given.bytes("exporter")
    client.establish(peerKeyHash: try given.bytes("spki_S"), exported: exporter)
    server.establish(peerKeyHash: try given.bytes("spki_C"), exported: exporter)
    let names = [identities[0], identities[1]].map { suite.sha256($0.publicKeyInfo) }
    var sent: [[LinkMessage]] = [[], []]
    var proved: [[UInt8]] = [[], []]
    var isMoving = true
    while isMoving {
      isMoving = false
      while let output = client.nextOutput() {
        isMoving = true
        if case .send(let bytes) = output {
          sent[0].append(try LinkMessage(decoding: bytes))
          server.receive(bytes)
        }
        if case .proved(let peer) = output { proved[0] = peer.peerID }
      }
      while let output = server.nextOutput() {
        isMoving = true
        if case .send(let bytes) = output {
          sent[1].append(try LinkMessage(decoding: bytes))
          client.receive(bytes)
        }
        if case .proved(let peer) = output { proved[1] = peer.peerID }
      }
    }
    #expect(proved == [names[1], names[0]])
    for (index, role) in ["C", "S"].enumerated() {
      let messages = sent[index]
      try #require(messages.count == 3)
      #expect(messages[0].encoded == (try given.bytes("HELLO_\(role)")))
      #expect(
        messages[1] == .proof(Proof(code: try vector.expected.bytes("PROOF_\(role)"))))
      guard case .identity(let identity) = messages[2] else {
        Issue.record("\(messages[2])")
        continue
      }
      #expect(
        suite.verifyIdentity(
          identity.signature, of: try vector.expected.bytes("IDENTITY_\(role)"),
          publicKeyInfo: identities[index].publicKeyInfo))
    }
  }

  /// A factory of which only the certificate's hash is asked.
  private struct NamedKey: SecureSessionFactory {
    let hash: [UInt8]
    var certificateKeyHash: [UInt8] { hash }
    func makeSession(
      _ carrier: Carrier, role: SessionRole, expectedKeyHash: [UInt8]?
    ) -> any SecureSession {
      OpenSSLSessionFactory(LinkCertificate()).makeSession(
        carrier, role: role, expectedKeyHash: expectedKeyHash)
    }
  }

  private static let hasPython = FileManager.default.isExecutableFile(atPath: "/usr/bin/python3")

  @Test(.enabled(if: hasPython))
  func `a derivation without our code agrees`() throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
    process.arguments = [Self.root.appendingPathComponent("tools/check-vectors").path]
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let said = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let text = String(decoding: said, as: UTF8.self)
    #expect(process.terminationStatus == 0, "\(text)")
    #expect(text.contains(" 0 differ"))
  }
}
