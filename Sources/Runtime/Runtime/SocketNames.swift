import CLinux
import Units

extension SocketAddress {
  /// The C form and its length.
  var native: (storage: sockaddr_storage, length: socklen_t) {
    var storage = sockaddr_storage()
    if ip.isV4 {
      var name = sockaddr_in()
      name.sin_family = sa_family_t(AF_INET)
      name.sin_port = port.bigEndian
      withUnsafeMutableBytes(of: &name.sin_addr) { $0.copyBytes(from: ip.bytes) }
      withUnsafeMutableBytes(of: &storage) { target in
        withUnsafeBytes(of: name) { target.copyMemory(from: $0) }
      }
      return (storage, socklen_t(MemoryLayout<sockaddr_in>.size))
    }
    var name = sockaddr_in6()
    name.sin6_family = sa_family_t(AF_INET6)
    name.sin6_port = port.bigEndian
    withUnsafeMutableBytes(of: &name.sin6_addr) { $0.copyBytes(from: ip.bytes) }
    withUnsafeMutableBytes(of: &storage) { target in
      withUnsafeBytes(of: name) { target.copyMemory(from: $0) }
    }
    return (storage, socklen_t(MemoryLayout<sockaddr_in6>.size))
  }

  /// `nil` for families other than IPv4 and IPv6.
  init?(native storage: sockaddr_storage) {
    let parts: (bytes: [UInt8], port: UInt16)? = withUnsafeBytes(of: storage) { bytes in
      switch Int32(storage.ss_family) {
      case AF_INET:
        let name = bytes.load(as: sockaddr_in.self)
        return (withUnsafeBytes(of: name.sin_addr) { Array($0) }, UInt16(bigEndian: name.sin_port))
      case AF_INET6:
        let name = bytes.load(as: sockaddr_in6.self)
        return (
          withUnsafeBytes(of: name.sin6_addr) { Array($0) }, UInt16(bigEndian: name.sin6_port)
        )
      default: return nil
      }
    }
    guard let parts, let ip = IPAddress(bytes: parts.bytes) else { return nil }
    self.init(ip, port: parts.port)
  }

  var family: Int32 { ip.isV4 ? AF_INET : AF_INET6 }
}

/// A new non-blocking socket; an IPv6 one does not take IPv4 as well, so that both can be bound. With
/// an `interface` nothing comes or goes by another one, whatever the routes say (SO_BINDTODEVICE).
func makeSocket(
  for address: SocketAddress, isStream: Bool, on interface: String? = nil
) throws(SystemError) -> Descriptor {
  let descriptor = try Descriptor.checked(
    "open a socket", clinux_socket(address.family, isStream ? 1 : 0))
  if !address.ip.isV4 {
    _ = clinux_set_option(descriptor.number, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1)
  }
  if let interface, clinux_bind_to_interface(descriptor.number, interface) != 0 {
    throw .last("keep a socket on \(interface)")
  }
  return descriptor
}

func bind(_ descriptor: Int32, to address: SocketAddress) throws(SystemError) {
  var (storage, length) = address.native
  guard clinux_bind(descriptor, &storage, length) == 0 else { throw .last("bind to \(address)") }
}

func localAddress(of descriptor: Int32) -> SocketAddress? {
  var storage = sockaddr_storage()
  guard clinux_local_address(descriptor, &storage) == 0 else { return nil }
  return SocketAddress(native: storage)
}

func remoteAddress(of descriptor: Int32) -> SocketAddress? {
  var storage = sockaddr_storage()
  guard clinux_remote_address(descriptor, &storage) == 0 else { return nil }
  return SocketAddress(native: storage)
}
