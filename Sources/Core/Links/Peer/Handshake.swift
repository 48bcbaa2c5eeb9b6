import Ciphers
import Units
package import Wire

/// HELLO, PROOF and IDENTITY of one link (docs/protocol.md, "Peer link"): whether the other side
/// is the session of the box, holds the room's key, and who it is.
///
/// Runs inside an established `SecureSession`; every message is one of the link's stream 0. It
/// knows no time and no wire: its owner bounds the first and carries the second.
package struct Handshake: Sendable {
  package enum Output: Sendable {
    case send([UInt8])
    /// HELLO names the session; `admit` is waited for. On links that the other side opened only.
    case named(SessionID)
    case proved(ProvedPeer)
    case failed(HandshakeFailure)
  }
  /// What is known about the other side before the link: from its box.
  package struct Expectation: Hashable, Sendable {
    package var session: SessionID
    package var certificateKeyHash: [UInt8]

    package init(session: SessionID, certificateKeyHash: [UInt8]) {
      self.session = session
      self.certificateKeyHash = certificateKeyHash
    }
  }
  private enum Step: Hashable, Sendable {
    case hello
    case admission
    case proof
    case identity
    case over
  }

  private let configuration: LinkHubConfiguration
  private let role: SessionRole
  private var expectation: Expectation?
  private var step = Step.hello
  private let ownHello: [UInt8]
  private var hasSentHello = false
  private var theirHello: [UInt8] = []
  /// As HELLO says; see `Hello.capabilities`.
  package private(set) var theirCapabilities: UInt32 = 0
  private var theirSession: SessionID?
  private var theirKeyHash: [UInt8]?
  private var exported: [UInt8]?
  /// PROOF that came before `admit`.
  private var held: [UInt8]?
  private var outputs = OutputQueue<Output>()

  package init(
    _ configuration: LinkHubConfiguration, role: SessionRole, expecting expectation: Expectation?
  ) {
    self.configuration = configuration
    self.role = role
    self.expectation = expectation
    ownHello =
      LinkMessage.hello(
        Hello(session: configuration.ownSession, capabilities: configuration.capabilities)
      ).encoded
  }

  package mutating func nextOutput() -> Output? { outputs.next() }

  /// The certificate was right; a failure from here to PROOF is one of membership.
  package var isAwaitingProof: Bool { step == .proof }
  /// The other side holds the room's key, and has only to say who it is.
  package var isAwaitingIdentity: Bool { step == .identity }
  package var isOver: Bool { step == .over }

  /// HELLO may go out: from a TLS server's first flight on, else once established.
  package mutating func open() {
    guard !hasSentHello else { return }
    hasSentHello = true
    outputs.append(.send(ownHello))
  }

  /// `exported` is the session's exporter for `exporterLabel`, 32 bytes.
  package mutating func establish(peerKeyHash: [UInt8]?, exported: [UInt8]?) {
    guard let peerKeyHash, exported?.count == 32 else { return fail(.session) }
    theirKeyHash = peerKeyHash
    self.exported = exported
    if let expectation, expectation.certificateKeyHash != peerKeyHash {
      return fail(.certificate)
    }
    open()
  }
  package static let exporterLabel = "EXPORTER-p2pcall-auth-v1"

  /// The box of the session that HELLO named.
  package mutating func admit(_ expectation: Expectation) {
    guard step == .admission, theirSession == expectation.session else { return }
    guard theirKeyHash == expectation.certificateKeyHash else { return fail(.certificate) }
    self.expectation = expectation
    step = .proof
    if let held { receive(held) }
    held = nil
  }

  package mutating func receive(_ bytes: [UInt8]) {
    guard let message = try? LinkMessage(decoding: bytes), exported != nil else {
      return fail(.session)
    }
    switch (step, message) {
    case (.hello, .hello(let hello)): takeHello(hello, bytes)
    case (.proof, .proof(let proof)): takeProof(proof)
    case (.identity, .identity(let identity)): takeIdentity(identity)
    case (.admission, .proof) where held == nil: held = bytes
    default: fail(.session)
    }
  }

  private mutating func takeHello(_ hello: Hello, _ bytes: [UInt8]) {
    guard hello.version == Hello.currentVersion, hello.session != configuration.ownSession else {
      return fail(.session)
    }
    theirHello = bytes
    theirCapabilities = hello.capabilities
    theirSession = hello.session
    guard let expectation else {
      step = .admission
      outputs.append(.named(hello.session))
      return
    }
    guard hello.session == expectation.session else { return fail(.session) }
    step = .proof
    if role == .client { sendProof() }
  }

  private mutating func takeProof(_ proof: Proof) {
    guard let transcript,
      configuration.ciphers.equal(proof.code, code(of: theirRole, transcript))
    else { return fail(.proof) }
    step = .identity
    // Who doesn't know the room learns nothing from a server, not even its name.
    if role == .server {
      sendProof()
      sendIdentity()
    }
  }

  private mutating func takeIdentity(_ identity: Identity) {
    let ciphers = configuration.ciphers
    guard let transcript, let leaf = identity.certificateChain.first,
      let publicKeyInfo = ciphers.publicKeyInfo(ofCertificate: leaf),
      ciphers.verifyIdentity(
        identity.signature, of: signed(by: theirRole, transcript), publicKeyInfo: publicKeyInfo)
    else { return fail(.identity) }
    if role == .client { sendIdentity() }
    step = .over
    outputs.append(
      .proved(
        ProvedPeer(
          peerID: ciphers.sha256(publicKeyInfo), publicKeyInfo: publicKeyInfo,
          certificateChain: identity.certificateChain, displayName: identity.displayName)))
  }

  private mutating func sendProof() {
    guard let transcript else { return fail(.session) }
    let message = LinkMessage.proof(Proof(code: code(of: role, transcript)))
    outputs.append(.send(message.encoded))
  }

  private mutating func sendIdentity() {
    guard let transcript else { return fail(.session) }
    let identity = configuration.identity
    let message = LinkMessage.identity(
      Identity(
        certificateChain: identity.certificateChain,
        signature: identity.signature(of: signed(by: role, transcript)),
        displayName: configuration.displayName.prefix(bytes: Identity.nameLimit)))
    outputs.append(.send(message.encoded))
  }

  private mutating func fail(_ failure: HandshakeFailure) {
    guard step != .over else { return }
    step = .over
    outputs.append(.failed(failure))
  }

  // MARK: What is proved

  private var theirRole: SessionRole { role == .client ? .server : .client }

  /// T: both sessions, both certificates, both HELLOs and this very TLS session. A message made
  /// for another link, role or room fits none of it.
  private var transcript: [UInt8]? {
    guard let theirSession, let theirKeyHash, let exported else { return nil }
    let own = (
      session: configuration.ownSession.bytes, hello: ownHello,
      key: configuration.sessions.certificateKeyHash
    )
    let theirs = (session: theirSession.bytes, hello: theirHello, key: theirKeyHash)
    let (client, server) = role == .client ? (own, theirs) : (theirs, own)
    return joinedFields(
      configuration.roomID, client.session, server.session, client.key, server.key,
      configuration.ciphers.sha256(joinedFields(client.hello, server.hello)), exported)
  }

  private func code(of role: SessionRole, _ transcript: [UInt8]) -> [UInt8] {
    configuration.ciphers.hmacSHA256(
      key: configuration.authenticationKey,
      joinedFields(Array("p2pcall/v1/proof".utf8), role.letter, transcript))
  }

  private func signed(by role: SessionRole, _ transcript: [UInt8]) -> [UInt8] {
    joinedFields(Array("p2pcall/v1/identity".utf8), role.letter, transcript)
  }
}

extension String {
  /// As many whole characters as fit.
  fileprivate func prefix(bytes limit: Int) -> String {
    var text = self
    while text.utf8.count > limit { text.removeLast() }
    return text
  }
}

extension SessionRole {
  fileprivate var letter: [UInt8] { [UInt8(ascii: self == .client ? "C" : "S")] }
}
