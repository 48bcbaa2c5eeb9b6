import Call
import Links
import Testing
import Units
import Wire

@testable import Simulation

@Suite struct StoppedProcessTests {
  private let session = SessionID(bytes: [UInt8](repeating: 1, count: SessionID.count))!
  private let address = SocketAddress(.v4(192, 0, 2, 1), port: 9)

  @Test func `what is typed waits, and nothing is played`() {
    var process = StoppedProcess()
    var kept = [process.keeps(ConferenceInput.chat("before"))]
    process.stop()
    for line in ["one", "two"] { kept.append(process.keeps(ConferenceInput.chat(line))) }
    kept.append(process.keeps(ConferenceInput.audioConcealed(session, samples: 480, of: 480)))
    let lines = process.goOn().inputs.map { if case .chat(let line) = $0 { line } else { "else" } }
    #expect(lines == ["one", "two"])
    #expect(!process.isStopped)
    kept.append(process.keeps(ConferenceInput.chat("after")))
    #expect(kept == [false, true, true, true, false])
    let rest = process.goOn()
    #expect(rest.inputs.isEmpty)
  }

  @Test func `datagrams wait as far as a socket's buffer goes, streams all`() {
    var process = StoppedProcess()
    let datagram = NetworkEvent.datagram([1], from: address, on: SocketID(0))
    var kept = [process.keeps(datagram)]
    process.stop()
    for _ in 0..<200 { kept.append(process.keeps(datagram)) }
    kept.append(process.keeps(NetworkEvent.stream([1], on: .dialed(0))))
    #expect(kept == [false] + [Bool](repeating: true, count: 201))
    let events = process.goOn().events
    #expect(events.count == 181)
    #expect(events.last.map { if case .stream = $0 { true } else { false } } == true)
  }
}
