import CLinux
package import Units

/// An address of this computer that is up.
package struct LocalAddress: Hashable, Sendable {
  package var ip: IPAddress
  package var interface: String

  /// All of them, in the kernel's order.
  package static func current() throws(SystemError) -> [LocalAddress] {
    var first: UnsafeMutablePointer<ifaddrs>?
    guard getifaddrs(&first) == 0 else { throw .last("list the network interfaces") }
    defer { freeifaddrs(first) }
    var found: [LocalAddress] = []
    var next = first
    while let entry = next?.pointee {
      next = entry.ifa_next
      guard entry.ifa_flags & UInt32(IFF_UP) != 0, let name = entry.ifa_addr,
        let ip = ip(of: name)
      else { continue }
      found.append(LocalAddress(ip: ip, interface: String(cString: entry.ifa_name)))
    }
    return found
  }

  /// The names of all interfaces, up or not, with addresses or without.
  package static func interfaces() -> [String] {
    guard let list = if_nameindex() else { return [] }
    defer { if_freenameindex(list) }
    var names: [String] = []
    var next = list
    while next.pointee.if_index != 0, let name = next.pointee.if_name {
      names.append(String(cString: name))
      next += 1
    }
    return names
  }

  private static func ip(of name: UnsafeMutablePointer<sockaddr>) -> IPAddress? {
    // An interface's name is as long as its family says, not as long as sockaddr_storage.
    var storage = sockaddr_storage()
    let size: Int
    switch Int32(name.pointee.sa_family) {
    case AF_INET: size = MemoryLayout<sockaddr_in>.size
    case AF_INET6: size = MemoryLayout<sockaddr_in6>.size
    default: return nil
    }
    withUnsafeMutableBytes(of: &storage) {
      $0.copyMemory(from: UnsafeRawBufferPointer(start: name, count: size))
    }
    return SocketAddress(native: storage)?.ip
  }
}
