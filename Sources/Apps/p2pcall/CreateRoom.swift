import Call
import CallRuntime
import CommandLine
import Encryption
import Rooms
import Runtime
import Units
import Wire

/// `p2pcall room create`: makes a room at the server and prints its id alone on stdout.
func createRoom(_ options: ServerOptions) throws {
  let user = try LocalUser(certificate: options.certFile, key: options.keyFile)
  let server = try ServerChoice(options, room: nil, user: user)
  let (room, client) = try newRoom(of: user, for: roomLifetime)
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

/// Rooms live for a month after they were made; their owner can make them anew.
private let roomLifetime: UInt64 = 30 * 24 * 3_600
private let roomSize: UInt16 = 16

/// A room that ends after `lifetime` seconds, and the client that makes it at a server.
func newRoom(of user: LocalUser, for lifetime: UInt64) throws -> (RoomID, RendezvousClient) {
  let suite = OpenSSLCipherSuite()
  let nonce = suite.randomBytes(32)
  let room = RoomID.create(
    ownerKeyInfo: user.identity.publicKeyInfo, nonce: nonce, with: suite)
  let keys = try RoomKeys(room, with: suite)
  let record = roomRecord(keys, nonce: nonce, lifetime: lifetime, user: user, suite: suite)
  let client = RendezvousClient(
    RendezvousClient.Configuration(
      admissionSeed: keys.admissionSeed, session: newSession(suite), peerID: user.key.bytes,
      record: record, seed: suite.randomSeed()),
    ciphers: suite)
  return (room, client)
}

private func roomRecord(
  _ keys: RoomKeys, nonce: [UInt8], lifetime: UInt64, user: LocalUser,
  suite: OpenSSLCipherSuite
) -> RoomRecord {
  let expiry = UInt64(max(0, Clock.wallSeconds)) + lifetime
  let policy = RoomPolicy(expiry: expiry, size: roomSize)
  let charter = keys.signedCharter(policy, version: 1, nonce: nonce, by: user.identity)
  return RoomRecord(
    terms: RoomTerms(
      owner: user.key.bytes, expiry: expiry, size: roomSize, isLocked: false, allowed: []),
    sealed: keys.sealed(charter, iv: suite.randomBytes(12), with: suite))
}

func newSession(_ suite: OpenSSLCipherSuite) -> SessionID {
  SessionID(bytes: suite.randomBytes(SessionID.count))!
}

extension OpenSSLCipherSuite {
  func randomSeed() -> UInt64 { randomBytes(8).reduce(0) { $0 << 8 | UInt64($1) } }
}
