import CommandLine
import Rooms
import Runtime
import Units

/// What the server tells its operator. Nothing in it names a client, its address or a room.
struct ServerLog: Sendable {
  private let format: EventFormat?
  private let level: LogLevel
  private let start: Instant

  init(_ options: RendezvousOptions, start: Instant) {
    format = options.events
    level = options.logLevel
    self.start = start
  }

  /// A sentence on stderr.
  func say(_ sentence: String, level: LogLevel) {
    guard level <= self.level else { return }
    TextOutput.standardError.write(line: "p2pcall-rendezvous: \(sentence)")
  }

  /// The event `listening` for each address, and for people what callers have to type.
  func listening(on addresses: [SocketAddress], pin: KeyFingerprint) {
    if format == .json {
      for address in addresses {
        var event = JSONObject(event: "listening", at: Clock.now - start)
        event.add("address", address.description)
        event.add("pin", pin.description)
        TextOutput.standardOutput.write(line: event.text)
      }
    }
    // Objects alone go to stdout, where there are any.
    let people = format == .json ? TextOutput.standardError : .standardOutput
    people.write(instructions(addresses, pin))
  }

  private func instructions(_ addresses: [SocketAddress], _ pin: KeyFingerprint) -> String {
    var lines = [
      "p2pcall-rendezvous is ready",
      "  address  " + addresses.map(\.description).joined(separator: "  "),
      "  pin      \(pin)", "",
    ]
    if let local = addresses.first(where: { $0.ip.isUnspecified || $0.ip.isLoopback }) {
      lines += ["On this computer, a room is made and a call begun by:"]
      lines += commands(
        local.ip.isUnspecified ? "localhost:\(local.port)" : local.description, pin)
    }
    for address in reachable(addresses).prefix(1) {
      lines += ["From other computers by:"]
      lines += commands(address.description, pin)
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func commands(_ server: String, _ pin: KeyFingerprint) -> [String] {
    [
      "  p2pcall room create --server \(server) --server-pin \(pin)",
      "  p2pcall join ROOMID --server \(server) --server-pin \(pin)", "",
    ]
  }

  /// This computer's addresses in its networks, where the server listens on them.
  private func reachable(_ addresses: [SocketAddress]) -> [SocketAddress] {
    let own = ((try? LocalAddress.current()) ?? []).map(\.ip).filter {
      !$0.isLoopback && !$0.isLinkLocal
    }
    return addresses.flatMap { address in
      address.ip.isUnspecified
        ? own.filter { $0.isV4 == address.ip.isV4 }.map { SocketAddress($0, port: address.port) }
        : address.ip.isLoopback ? [] : [address]
    }
  }
}
