import Call
import Media

/// A program that is stopped, as by SIGSTOP: what the kernel and the program's own threads keep for
/// it until it goes on, and what is lost meanwhile.
struct StoppedProcess {
  private(set) var isStopped = false
  private var inputs: [ConferenceInput] = []
  private var events: [NetworkEvent] = []
  /// Datagrams that a socket's buffer of 200 KiB holds.
  private static let eventLimit = 180

  mutating func stop() { isStopped = true }

  /// What came meanwhile, each in its order.
  mutating func goOn() -> (inputs: [ConferenceInput], events: [NetworkEvent]) {
    defer { self = StoppedProcess() }
    return (inputs, events)
  }

  /// False while it runs: then the input is for now.
  mutating func keeps(_ input: ConferenceInput) -> Bool {
    guard isStopped else { return false }
    switch input {
    // Nothing is played.
    case .audioPlayed, .audioConcealed: break
    // What is typed, what the kernel tells and what an encoder had in hand.
    default: inputs.append(input)
    }
    return true
  }

  /// The same of what the network brings; datagrams only as far as there is room.
  mutating func keeps(_ event: NetworkEvent) -> Bool {
    guard isStopped else { return false }
    if case .datagram = event, events.count >= Self.eventLimit { return true }
    events.append(event)
    return true
  }
}
