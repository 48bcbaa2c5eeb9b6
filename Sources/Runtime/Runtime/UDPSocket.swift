import CLinux
package import Units

/// A bound, non-blocking datagram socket with large kernel buffers.
///
/// Where the kernel can, datagrams of one size to one address leave as one message, and those that
/// came together from one sender are taken as one: a picture's packets cost the kernel little more
/// than one packet.
package final class UDPSocket {
  private let descriptor: Descriptor
  /// With the real port where 0 was asked for.
  package let localAddress: SocketAddress

  private let incoming: IncomingBatch
  private var outgoing = OutgoingBatch(slots: batch, of: largestDatagram)
  private var lastSource = (
    name: sockaddr_storage(), address: SocketAddress(.v4(0, 0, 0, 0), port: 0)
  )
  private var received = BufferRing(count: 64, room: 1_280)
  /// Whether runs of datagrams are given to the kernel as one message each.
  package private(set) var joins: Bool

  /// Longer datagrams are dropped: nothing of ours exceeds an Ethernet frame.
  package static let largestDatagram = 2048
  private static let batch = Int(CLINUX_BATCH)

  /// `keepsBounces`: for `nextBounce`. Forged ones then cost a datagram each, so calls do without.
  package init(
    boundTo address: SocketAddress, on interface: String? = nil, keepsBounces: Bool = false
  ) throws(SystemError) {
    descriptor = try makeSocket(for: address, isStream: false, on: interface)
    if keepsBounces, clinux_keep_bounces(descriptor.number, address.family) != 0 {
      throw .last("keep what comes back of datagrams")
    }
    // The kernel grants what net.core.{r,w}mem_max allows.
    _ = clinux_set_option(descriptor.number, SOL_SOCKET, SO_RCVBUF, 2 << 20)
    _ = clinux_set_option(descriptor.number, SOL_SOCKET, SO_SNDBUF, 1 << 20)
    try bind(descriptor.number, to: address)
    localAddress = Runtime.localAddress(of: descriptor.number) ?? address
    joins = clinux_can_segment(descriptor.number) != 0
    incoming =
      clinux_receive_joined(descriptor.number) == 0
      ? IncomingBatch(slots: Self.batch / 2, of: 65_536)
      : IncomingBatch(slots: Self.batch, of: Self.largestDatagram)
  }

  deinit {
    incoming.deallocate()
    outgoing.deallocate()
  }

  package var fileDescriptor: Int32 { descriptor.number }

  // MARK: Receiving

  /// Hands over up to one batch of datagrams that wait; false when none is left for now. Errors
  /// that earlier sends provoked (ICMP unreachable) are skipped: a datagram may always be lost.
  @discardableResult
  package func receive(_ handler: ([UInt8], SocketAddress) -> Void) -> Bool {
    let count = Int(
      clinux_receive_batch(
        descriptor.number, incoming.buffer, incoming.slot, Int32(incoming.slots),
        incoming.lengths, incoming.truncated, incoming.sizes, incoming.names))
    if count < 0 { return ![EAGAIN, EWOULDBLOCK].contains(clinux_get_errno()) }
    for index in 0..<count where incoming.truncated[index] == 0 {
      guard let source = source(named: incoming.names + index) else { continue }
      let message = UnsafeRawBufferPointer(
        start: incoming.buffer + index * incoming.slot, count: Int(incoming.lengths[index]))
      for part in JoinedDatagrams(
        count: message.count, size: Int(incoming.sizes[index]))
      where part.count <= Self.largestDatagram {
        handler(received.copy(UnsafeRawBufferPointer(rebasing: message[part])), source)
      }
    }
    return count == incoming.slots
  }

  /// Where a datagram went of which an ICMP error came back, and what that says, as errno; `nil` when
  /// none is left. To be taken when readable, until then: it keeps the socket so.
  package func nextBounce() -> (to: SocketAddress, reason: SystemError)? {
    var name = sockaddr_storage()
    var code: Int32 = 0
    while true {
      let found = clinux_next_bounce(descriptor.number, &name, &code)
      if found < 0 { return nil }
      if found == 1, let address = SocketAddress(native: name) {
        return (address, SystemError("send to \(address)", code: code))
      }
    }
  }

  /// A call's datagrams come from one address, whose making costs more than the comparison.
  private func source(named name: UnsafeMutablePointer<sockaddr_storage>) -> SocketAddress? {
    if clinux_is_same_name(&lastSource.name, name) == 0 {
      guard let address = SocketAddress(native: name.pointee) else { return nil }
      lastSource = (name.pointee, address)
    }
    return lastSource.address
  }

  // MARK: Sending

  /// Keeps a datagram for the next `flush`, which happens by itself when a batch is full. One longer
  /// than `largestDatagram` is dropped: nobody of ours would take it.
  package func send(_ bytes: [UInt8], to address: SocketAddress) {
    guard bytes.count <= Self.largestDatagram else { return }
    if outgoing.count == Self.batch { flush() }
    outgoing.append(bytes, to: address)
  }

  /// Hands over what `send` kept, a burst in one system call; returns how many the kernel took. What
  /// it has no room for, or cannot send there (no route, too long, no permission), is as good as
  /// lost on the way.
  @discardableResult
  package func flush() -> Int {
    let count = outgoing.count
    outgoing.count = 0
    var first = 0
    var taken = 0
    var isRepeated = false
    // Until there datagrams leave one by one, because as a run they were refused.
    var apartUntil = 0
    var isDoubted = false
    while first < count {
      let runs = outgoing.layOut(first..<count, joined: joins && first >= apartUntil)
      let sent = Int(
        uninterrupted {
          clinux_send_runs(
            descriptor.number, outgoing.buffer + first * Self.largestDatagram,
            Self.largestDatagram, outgoing.lengths + first, outgoing.names + first,
            outgoing.sizes, Int32(runs))
        })
      if sent > 0 {
        // One by one it went, so it was the joining that this kernel or this way's device refuses.
        if isDoubted, first < apartUntil { joins = false }
        for run in 0..<sent {
          first += Int(outgoing.sizes[run])
          taken += Int(outgoing.sizes[run])
        }
        isRepeated = false
        continue
      }
      let reason = clinux_get_errno()
      switch reason {
      case EAGAIN, EWOULDBLOCK, ENOBUFS: return taken
      // A queued ICMP error is reported once by the next send and cleared by it: try again.
      case ECONNREFUSED where !isRepeated: isRepeated = true
      default:
        isRepeated = false
        if outgoing.sizes[0] > 1 {
          apartUntil = first + Int(outgoing.sizes[0])
          isDoubted = [EIO, EINVAL, EOPNOTSUPP, EMSGSIZE].contains(reason)
        } else {
          first += 1
        }
      }
    }
    return taken
  }
}

/// Messages side by side in slots, as the kernel gives them.
private struct IncomingBatch {
  let slots: Int
  /// Bytes of each.
  let slot: Int
  let buffer: UnsafeMutablePointer<UInt8>
  let names: UnsafeMutablePointer<sockaddr_storage>
  let lengths: UnsafeMutablePointer<UInt32>
  /// Of the datagrams that a message was joined from; 0: it is one.
  let sizes: UnsafeMutablePointer<Int32>
  let truncated: UnsafeMutablePointer<UInt8>

  init(slots: Int, of size: Int) {
    self.slots = slots
    slot = size
    buffer = .allocate(capacity: slots * size)
    names = .allocate(capacity: slots)
    lengths = .allocate(capacity: slots)
    sizes = .allocate(capacity: slots)
    truncated = .allocate(capacity: slots)
  }

  func deallocate() {
    buffer.deallocate()
    names.deallocate()
    lengths.deallocate()
    sizes.deallocate()
    truncated.deallocate()
  }
}

/// Datagrams side by side in slots of their largest size, and how they leave.
private struct OutgoingBatch {
  let slot: Int
  let buffer: UnsafeMutablePointer<UInt8>
  let names: UnsafeMutablePointer<sockaddr_storage>
  let lengths: UnsafeMutablePointer<UInt32>
  /// Of runs, in datagrams.
  let sizes: UnsafeMutablePointer<UInt8>
  var count = 0
  private var last: (address: SocketAddress, name: sockaddr_storage)?

  /// Bytes of one message: 65 507 is what IPv4 has room for.
  private static let messageLimit = 65_000
  /// A longer datagram would be cut in two on an Ethernet, which joined ones never are.
  private static let joinedLimit = 1_452

  init(slots: Int, of size: Int) {
    slot = size
    buffer = .allocate(capacity: slots * size)
    names = .allocate(capacity: slots)
    lengths = .allocate(capacity: slots)
    sizes = .allocate(capacity: slots)
  }

  func deallocate() {
    buffer.deallocate()
    names.deallocate()
    lengths.deallocate()
    sizes.deallocate()
  }

  mutating func append(_ bytes: [UInt8], to address: SocketAddress) {
    buffer.advanced(by: count * slot).update(from: bytes, count: bytes.count)
    lengths[count] = UInt32(bytes.count)
    if let last, last.address == address {
      names[count] = last.name
    } else {
      let name = address.native.storage
      names[count] = name
      last = (address, name)
    }
    count += 1
  }

  /// Sets `sizes` and returns how many runs there are.
  func layOut(_ datagrams: Range<Int>, joined: Bool) -> Int {
    var runs = 0
    var at = datagrams.lowerBound
    while at < datagrams.upperBound {
      let size = joined ? run(from: at, before: datagrams.upperBound) : 1
      sizes[runs] = UInt8(size)
      runs += 1
      at += size
    }
    return runs
  }

  /// How many datagrams make one message: to one address, of one length, the last perhaps shorter.
  private func run(from first: Int, before end: Int) -> Int {
    let length = Int(lengths[first])
    guard length > 0, length <= Self.joinedLimit else { return 1 }
    var size = 1
    while first + size < end, (size + 1) * length <= Self.messageLimit {
      let next = first + size
      guard lengths[next] > 0, lengths[next] <= length,
        clinux_is_same_name(names + first, names + next) != 0
      else { break }
      size += 1
      if lengths[next] < length { break }
    }
    return size
  }
}
