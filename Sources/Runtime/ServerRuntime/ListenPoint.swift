import CLinux
import Runtime
package import Units

/// Addresses to listen on with one port; where it is 0 the system chooses one for all of them.
package struct ListenPoint: Hashable, Sendable {
  package var addresses: [SocketAddress]

  package init(_ addresses: [SocketAddress]) { self.addresses = addresses }

  /// Every address of this computer, IPv4 and IPv6.
  package static func everywhere(port: UInt16) -> ListenPoint {
    ListenPoint([
      SocketAddress(.v4(0, 0, 0, 0), port: port),
      SocketAddress(IPAddress(bytes: [UInt8](repeating: 0, count: 16))!, port: port),
    ])
  }

  /// One address: connections, and with the same port number datagrams.
  struct Opened {
    let listener: TCPListener
    let datagrams: AnsweringSocket
  }

  /// At least one; an address of a family that this computer lacks is left out where another one works.
  func open() throws(SystemError) -> [Opened] {
    // With a port of the system's choice for the first, the others' may be taken: try another.
    for _ in 0..<16 {
      if let opened = try openOnce() { return opened }
    }
    throw SystemError("find a port that is free for TCP and UDP", code: EADDRINUSE)
  }

  private func openOnce() throws(SystemError) -> [Opened]? {
    var opened: [Opened] = []
    var missing: SystemError?
    for var address in addresses {
      if address.port == 0, let first = opened.first {
        address.port = first.listener.localAddress.port
      }
      do throws(SystemError) {
        let listener = try TCPListener(boundTo: address, backlog: 1_024)
        let datagrams = try AnsweringSocket(boundTo: listener.localAddress)
        opened.append(Opened(listener: listener, datagrams: datagrams))
      } catch {
        if error.isMissingFamily {
          missing = error
        } else if error.isAddressInUse, addresses[0].port == 0 {
          return nil
        } else {
          throw error
        }
      }
    }
    if opened.isEmpty, let missing { throw missing }
    return opened
  }
}
