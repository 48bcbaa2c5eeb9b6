import Call
import CallRuntime
import CommandLine
import Encryption
import Rooms
import Runtime
import Units
import Wire

/// `p2pcall room create`: makes a room at the server and prints its id alone on stdout.
func createRoom(_ options: RoomOptions) throws {
  let user = try LocalUser(
    certificate: options.connection.certFile, key: options.connection.keyFile)
  let server = try ServerChoice(options.connection, room: nil, user: user)
  let (room, client) = try newRoom(
    of: user, for: options.lifetime, size: options.size,
    password: try newPassword(options.password))
  let creation = try RoomCreation(
    client: client, serverAddresses: server.resolved, makeServerSession: server.makeSession,
    decideServer: server.accepts)
  switch creation.run() {
  case nil: break
  case .unreachable(let reason):
    throw Failure(
      .serverUnreachable,
      "the server \(server.address) cannot be reached (\(reason)); "
        + "check --server, and that p2pcall-rendezvous runs there")
  case .refused:
    throw Failure(
      .roomRefused, "the server \(server.address) makes no room now; try again in a minute")
  case .certificateRefused:
    throw Failure(
      .roomRefused, "\(EndReason.certificateDemand); \(EndReason.certificateRemedy)")
  case .serverRejected: throw Failure(.trust, "no room was made at a server that is not trusted")
  case .left where creation.isInterrupted:
    throw Failure(.interrupted, "interrupted; no room was made")
  case .left: throw Failure(.internalError, "the server ended before the room was made; try again")
  }
  let isUsual = server.address == .standard
  let address = RoomAddress(room, server: isUsual ? nil : server.address)
  TextOutput.standardOutput.write(line: address.text)
}

/// A room and the client that makes it at a server.
func newRoom(
  of user: LocalUser, for lifetime: Interval, size: Int, password: String? = nil
) throws -> (RoomID, RendezvousClient) {
  let suite = OpenSSLCipherSuite()
  let nonce = suite.randomBytes(32)
  let room = RoomID.create(
    flags: password == nil ? [] : .password, ownerKeyInfo: user.identity.publicKeyInfo,
    nonce: nonce, with: suite)
  let keys = try roomKeys(room, password: password)
  let expiry = UInt64(max(0, Clock.wallSeconds)) + UInt64(max(1, lifetime.seconds))
  let policy = RoomPolicy(expiry: expiry, size: UInt16(size))
  let charter = keys.signedCharter(policy, version: 1, nonce: nonce, by: user.identity)
  let record = RoomRecord(
    terms: RoomTerms(
      owner: user.key.bytes, expiry: expiry, size: UInt16(size), isLocked: false, allowed: []),
    sealed: keys.sealed(charter, iv: suite.randomBytes(12), with: suite))
  let client = RendezvousClient(
    RendezvousClient.Configuration(
      admissionSeed: keys.admissionSeed, session: newSession(suite), peerID: user.key.bytes,
      record: record, seed: suite.randomSeed()),
    ciphers: suite)
  return (room, client)
}

func newSession(_ suite: OpenSSLCipherSuite) -> SessionID {
  SessionID(bytes: suite.randomBytes(SessionID.count))!
}

extension OpenSSLCipherSuite {
  func randomSeed() -> UInt64 { randomBytes(8).reduce(0) { $0 << 8 | UInt64($1) } }
}
