import COpenSSL
import Links
import Units

/// One SSL object and its wire: the only place that calls OpenSSL on it.
final class SSLConnection {
  enum Progress {
    case done
    case waiting
    case failed(SecureSessionFailure)
  }

  enum Reading {
    case bytes([UInt8])
    case nothing
    case closed
    case failed(SecureSessionFailure)
  }

  let role: SessionRole
  let cookie: [UInt8]
  private let context: SecureContext
  private let ssl: OpaquePointer
  private let transport: MemoryTransport
  /// What was read from a datagram session, for as long as a picture takes to come together.
  private var messages: BufferRing
  /// What is being read; a server's many streams have none of their own.
  private let plain: UnsafeMutableRawBufferPointer?
  private static let recordLimit = 16_384
  private let rules: PeerRules
  /// Leaf first; set by the verification callback.
  private(set) var peerChain: [Certificate] = []
  private var refusal: SecureSessionFailure?
  /// The peer's certificate satisfies all rules.
  private var isProved = false

  init(_ context: SecureContext, role: SessionRole, rules: PeerRules) {
    self.context = context
    self.role = role
    self.rules = rules
    cookie = context.carrier == .datagram ? context.cookie(for: rules) : []
    transport = MemoryTransport(isDatagram: context.carrier == .datagram)
    plain =
      context.carrier == .datagram
      ? .allocate(byteCount: Self.recordLimit, alignment: 1) : nil
    messages = BufferRing(
      count: context.carrier == .datagram ? 256 : 0, room: DTLSSession.datagramSize)
    ErrorQueue.clear()
    ssl = SSL_new(context.pointer)!
    _ = p2p_SSL_set_app_data(ssl, Unmanaged.passUnretained(self).toOpaque())
    let bio = transport.makeBIO()
    SSL_set_bio(ssl, bio, bio)
    switch role {
    case .client: SSL_set_connect_state(ssl)
    case .server: SSL_set_accept_state(ssl)
    }
  }

  deinit {
    SSL_free(ssl)
    plain?.deallocate()
  }

  /// Another of the same kind, which has seen nothing yet.
  func afresh() -> SSLConnection { SSLConnection(context, role: role, rules: rules) }

  static func owner(of ssl: OpaquePointer) -> SSLConnection {
    Unmanaged.fromOpaque(p2p_SSL_get_app_data(ssl)!).takeUnretainedValue()
  }

  // MARK: Set-up

  /// UDP payload bytes that a handshake datagram may have.
  func setDatagramSize(_ bytes: Int) { _ = p2p_SSL_set_mtu(ssl, bytes) }

  /// The first wait for an answer is 50 ms, then twice the last, at most 400 ms: OpenSSL's one
  /// second is a long time in a call's set-up.
  func setQuickRetransmission() {
    DTLS_set_timer_cb(ssl) { _, current in current == 0 ? 50_000 : min(current * 2, 400_000) }
  }

  /// RFC 6066 §3: a name only, never an address.
  func setHostName(_ name: String) { _ = p2p_SSL_set_tlsext_host_name(ssl, name) }

  /// Where a server that satisfies the rules lists the CAs that it wants certificates of, shows
  /// this chain instead of the context's.
  func offerChain(_ chain: [Certificate]) {
    offeredChain = chain
    SSL_set_cert_cb(
      ssl,
      { ssl, _ in
        guard let ssl else { return 0 }
        return SSLConnection.owner(of: ssl).useOfferedChain() ? 1 : 0
      }, nil)
  }
  private var offeredChain: [Certificate] = []

  private func useOfferedChain() -> Bool {
    guard isProved, let leaf = offeredChain.first, p2p_sk_X509_NAME_num(p2p_peer_CA_names(ssl)) > 0
    else {
      return true
    }
    let stack = p2p_sk_X509_new()!
    defer { p2p_sk_X509_free(stack) }
    for certificate in offeredChain.dropFirst() {
      _ = p2p_sk_X509_push(stack, certificate.pointer)
    }
    return SSL_use_certificate(ssl, leaf.pointer) == 1 && p2p_SSL_set1_chain(ssl, stack) == 1
  }

  // MARK: Verification

  static func verifying(_ store: OpaquePointer) -> SSLConnection? {
    X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()).map {
      owner(of: OpaquePointer($0))
    }
  }

  /// Called in the handshake with the peer's certificates; nothing of the peer's has been
  /// accepted before.
  func judge(_ store: OpaquePointer) -> Bool {
    let sent = X509_STORE_CTX_get0_untrusted(store)
    var chain: [Certificate] = []
    for index in 0..<max(0, p2p_sk_X509_num(sent)) {
      guard let certificate = p2p_sk_X509_value(sent, index) else { continue }
      X509_up_ref(certificate)
      chain.append(Certificate(owning: certificate))
    }
    let found = rules.refusal(of: chain)
    isProved = found == nil
    refusal = rules.isBinding ? found : nil
    let code = refusal == nil ? X509_V_OK : X509_V_ERR_APPLICATION_VERIFICATION
    X509_STORE_CTX_set_error(store, code)
    if refusal == nil { peerChain = chain }
    return refusal == nil
  }

  // MARK: Bytes

  func feed(_ bytes: [UInt8]) { transport.feed(bytes) }
  func nextOutbound() -> [UInt8]? { transport.next() }

  func handshake() -> Progress {
    ErrorQueue.clear()
    let result = SSL_do_handshake(ssl)
    if result == 1 { return checkNegotiated() }
    return progress(after: result)
  }

  /// A TLS server's first flight; `done` once it is written and `writeEarly` may follow.
  func writeFirstFlight() -> Progress {
    ErrorQueue.clear()
    var count = 0
    // The call that OpenSSL gives servers for answering before the client's Finished. Early data
    // itself is never accepted: there are no tickets, and its limit is zero.
    var scratch: UInt8 = 0
    switch SSL_read_early_data(ssl, &scratch, 1, &count) {
    case SSL_READ_EARLY_DATA_FINISH: return .done
    case SSL_READ_EARLY_DATA_SUCCESS: return .failed(.refused("the peer sent early data"))
    default: return progress(after: -1)
    }
  }

  /// After `writeFirstFlight`, before the handshake is over: to a client not yet proved.
  func writeEarly(_ message: [UInt8]) -> Progress {
    ErrorQueue.clear()
    var count = 0
    let result = SSL_write_early_data(ssl, message, message.count, &count)
    return result == 1 ? .done : progress(after: result)
  }

  func read() -> Reading {
    if let plain { return read(into: plain) }
    return withUnsafeTemporaryAllocation(byteCount: Self.recordLimit, alignment: 1) {
      read(into: $0)
    }
  }

  private func read(into buffer: UnsafeMutableRawBufferPointer) -> Reading {
    ErrorQueue.clear()
    let count = SSL_read(ssl, buffer.baseAddress, Int32(buffer.count))
    if count > 0 {
      return .bytes(messages.copy(UnsafeRawBufferPointer(rebasing: buffer[..<Int(count)])))
    }
    switch SSL_get_error(ssl, count) {
    case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .nothing
    case SSL_ERROR_ZERO_RETURN: return .closed
    default: return .failed(failure())
    }
  }

  /// Whether a datagram holds more than was read: another record. Asking is cheaper than to read in
  /// vain, which a session does at least once for every datagram otherwise.
  var hasMore: Bool { SSL_has_pending(ssl) == 1 }

  func write(_ message: [UInt8]) -> Progress {
    ErrorQueue.clear()
    let result = SSL_write(ssl, message, Int32(message.count))
    return result > 0 ? .done : progress(after: result)
  }

  func shutdown() {
    ErrorQueue.clear()
    SSL_shutdown(ssl)
    ErrorQueue.clear()
  }

  private func progress(after result: Int32) -> Progress {
    switch SSL_get_error(ssl, result) {
    case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: .waiting
    default: .failed(failure())
    }
  }

  private func failure() -> SecureSessionFailure {
    let alert = ErrorQueue.peekAlert()
    let reason = ErrorQueue.drain()
    if let refusal { return refusal }
    // Who names no CA takes any certificate: then the alert is about something else.
    if role == .client, let alert, Self.certificateAlerts.contains(alert),
      p2p_sk_X509_NAME_num(p2p_peer_CA_names(ssl)) > 0
    {
      return .certificateRefused
    }
    return .handshake(reason)
  }

  /// Handshake failure (what our own servers send), bad, unsupported, revoked, expired and unknown
  /// certificate, unknown CA, access denied, certificate required (RFC 8446 §6).
  private static let certificateAlerts: Set<Int32> = [40, 42, 43, 44, 45, 46, 48, 49, 116]

  /// What OpenSSL lets pass and docs/protocol.md does not.
  private func checkNegotiated() -> Progress {
    if context.carrier == .datagram, p2p_SSL_get_extms_support(ssl) != 1 {
      return .failed(.refused("the peer lacks the extended master secret (RFC 7627)"))
    }
    if peerChain.isEmpty { return .failed(.refused("the peer showed no certificate")) }
    return .done
  }

  // MARK: DTLS timer

  /// Microseconds until the next retransmission, by OpenSSL's own reading of the clock.
  var retransmissionWait: Int? {
    let left = p2p_DTLSv1_get_timeout(ssl)
    return left < 0 ? nil : left
  }

  /// Sends the flight again if it is due; false after the last of twelve attempts.
  func retransmit() -> Bool {
    ErrorQueue.clear()
    defer { ErrorQueue.clear() }
    return p2p_DTLSv1_handle_timeout(ssl) >= 0
  }

  // MARK: What was negotiated

  func exporter(label: String, count: Int) -> [UInt8]? {
    ErrorQueue.clear()
    var secret = [UInt8](repeating: 0, count: count)
    // No context, which on DTLS 1.2 differs from an empty one (RFC 5705 §4).
    let done = SSL_export_keying_material(
      ssl, &secret, count, label, label.utf8.count, nil, 0, 0)
    ErrorQueue.clear()
    return done == 1 ? secret : nil
  }

  var cipherName: String {
    SSL_get_current_cipher(ssl).flatMap { SSL_CIPHER_get_name($0) }.map { String(cString: $0) }
      ?? ""
  }
}
