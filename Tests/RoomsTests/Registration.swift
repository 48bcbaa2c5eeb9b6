import Rooms
import Units
import Wire

/// A client of room 7, which has not begun.
func client(
  _ person: Person, _ record: RoomRecord? = nil, seed: UInt64 = 3
) -> RendezvousClient {
  RendezvousClient(
    .init(
      admissionSeed: Room(7).seed, session: person.session, peerID: person.peerID,
      record: record, seed: seed), ciphers: VirtualHall.ciphers)
}

func facts(_ id: ConnectionID, key: UInt8 = 5) -> RendezvousClient.ServerFacts {
  .init(
    keyHash: [UInt8](repeating: key, count: 32), chain: [[1]],
    exporter: VirtualHall.exporter(id))
}

func outputs(_ client: inout RendezvousClient) -> [RendezvousClient.Output] {
  var all: [RendezvousClient.Output] = []
  while let output = client.nextOutput() { all.append(output) }
  return all
}

/// Goes through a whole registration against a real server machine; returns the connection and
/// what the client said after it was told of the server.
func register(
  _ client: inout RendezvousClient, _ person: Person, _ hall: inout VirtualHall,
  within time: Interval = .zero
) -> (id: ConnectionID, outputs: [RendezvousClient.Output]) {
  let id = hall.secure(person)
  client.handle(.secured(facts(id)), at: hall.now)
  var all: [RendezvousClient.Output] = []
  for output in outputs(&client) {
    if case .verify = output {
      client.handle(.serverAccepted, at: hall.now)
      all += outputs(&client)
    } else {
      all.append(output)
    }
  }
  hall.now += time
  carry(all, &client, &hall, id)
  return (id, outputs(&client))
}

func carry(
  _ outputs: [RendezvousClient.Output], _ client: inout RendezvousClient,
  _ hall: inout VirtualHall, _ id: ConnectionID
) {
  let before = hall.frames(to: id).count
  for case .send(let bytes) in outputs {
    for frame in framesIn(bytes) {
      hall.handle(.received(id, kind: frame.kind.rawValue, body: frame.body))
    }
  }
  for frame in hall.frames(to: id)[before...] {
    client.handle(.received(frame.encoded), at: hall.now)
  }
}
