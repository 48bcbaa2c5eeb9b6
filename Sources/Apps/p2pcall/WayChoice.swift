import CLinux
import CommandLine
import Links
import Runtime
import Units

/// Throws exit 2 where there is no such interface, or where this kernel keeps no socket to it.
func checkInterface(_ name: String) throws {
  let known = LocalAddress.interfaces()
  guard known.contains(name) else {
    throw UsageError(
      "--interface: there is no \(name) here; choose among \(known.joined(separator: ", "))")
  }
  do throws(SystemError) {
    _ = try UDPSocket(boundTo: SocketAddress(.v4(0, 0, 0, 0), port: 0), on: name)
  } catch {
    guard error.code == EPERM else { return }
    throw UsageError(
      "--interface: this kernel lets only root keep sockets to \(name); use Linux 5.7 or later")
  }
}

extension Ways {
  init(_ options: WayOptions) {
    self = options.relayOnly ? .relayed : options.noRelay ? .direct : .all
  }
}

extension Transport {
  init(_ choice: TransportChoice) {
    switch choice {
    case .auto: self = .auto
    case .udp: self = .udp
    case .tcp: self = .tcp
    }
  }
}
