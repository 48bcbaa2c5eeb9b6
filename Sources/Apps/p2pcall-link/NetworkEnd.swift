import CLinux
import Runtime
import Units

/// A network without a name, and the TUN device in it. Both go with their descriptors, and the network
/// with the last process in it.
final class NetworkEnd {
  private let network: Descriptor
  private let device: Descriptor
  private static let name = "line0"
  private static let mostBytes = 2_048

  private init(network: consuming Descriptor, device: consuming Descriptor) {
    self.network = network
    self.device = device
  }

  /// One for each address; the calling thread's own network is as it was afterwards.
  static func make(_ addresses: [IPAddress]) throws(SystemError) -> [NetworkEnd] {
    let own = Descriptor(owning: try checked("find the own network", clinux_own_network()))
    var made: [NetworkEnd] = []
    do throws(SystemError) {
      for address in addresses { made.append(try NetworkEnd(address)) }
    } catch {
      _ = clinux_enter_network(own.number)
      throw error
    }
    _ = try checked("return to the own network", clinux_enter_network(own.number))
    return made
  }

  private convenience init(_ address: IPAddress) throws(SystemError) {
    _ = try checked("make a network", clinux_new_network())
    let network = Descriptor(owning: try checked("find a network", clinux_own_network()))
    let device = Descriptor(owning: try checked("open a TUN device", clinux_open_tun(Self.name)))
    let bits = address.bytes.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    _ = try checked("take a TUN device up", clinux_take_up(Self.name, bits.bigEndian))
    _ = try checked("take the loopback up", clinux_take_up("lo", 0))
    self.init(network: network, device: device)
  }

  /// For nsenter, as long as this process lives.
  var path: String { "/proc/\(getpid())/fd/\(network.number)" }
  var deviceDescriptor: Int32 { device.number }

  /// The next packet that its programs have sent.
  func receive() -> [UInt8]? {
    var count = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: Self.mostBytes) { buffer, filled in
      count = read(device.number, buffer.baseAddress, buffer.count)
      filled = max(0, count)
    }
    return count > 0 ? bytes : nil
  }

  /// What the device has no room for is lost, as on any line.
  func send(_ packet: [UInt8]) { _ = write(device.number, packet, packet.count) }
}

private func checked(_ operation: String, _ result: Int32) throws(SystemError) -> Int32 {
  guard result >= 0 else { throw SystemError(operation, code: clinux_get_errno()) }
  return result
}
