import Media
import Units
import Wire

/// Rebuilds lost packets of a frame from its parity packets, as soon as there are enough of both.
///
/// The packets that came are those in the `PacketWindow`; only parity of frames that miss something
/// is kept, of the newest few.
struct ParityDecoder {
  /// Parity over some consecutive packets.
  private struct Block {
    var first: PacketIndex
    var count: Int
    var parityCount: Int
    /// Of a shard.
    var length: Int
    var timestamp: Int64
    /// By number.
    var shards: [(number: Int, bytes: ArraySlice<UInt8>)]

    var last: PacketIndex { first + Int64(count - 1) }
  }

  /// What became of a parity packet.
  struct Result {
    /// Packets that came out of it.
    var rebuilt: [PacketWindow.Packet] = []
    /// Packets of its block are still missing, and this was the last of its parity.
    var isExhausted = false
    /// It contradicts what came before.
    var isRefused = false
  }

  private let code: any ErasureCode
  private var blocks: [Block] = []
  /// Scratch, kept for its memory.
  private var data: [UInt8] = []
  private var parity: [UInt8] = []
  private var missing: [Int] = []
  private var numbers: [Int] = []

  /// Blocks of at most `ParityPayload.blockLimit` shards: 800 kB, where a peer means ill.
  private static let blockLimit = 8

  init(code: any ErasureCode) { self.code = code }

  /// `first` is the index of the first packet protected, `timestamp` the frame's.
  mutating func insert(
    _ payload: ParityPayload, first: PacketIndex, timestamp: Int64, window: PacketWindow
  ) -> Result {
    var result = Result()
    if !blocks.contains(where: { $0.first == first }) {
      if blocks.count == Self.blockLimit { blocks.removeFirst() }
      blocks.append(
        Block(
          first: first, count: payload.count, parityCount: payload.parityCount,
          length: payload.shard.count, timestamp: timestamp, shards: []))
    }
    guard let at = blocks.firstIndex(where: { $0.first == first }),
      blocks[at].count == payload.count, blocks[at].parityCount == payload.parityCount,
      blocks[at].length == payload.shard.count, blocks[at].timestamp == timestamp
    else {
      result.isRefused = true
      return result
    }
    guard !blocks[at].shards.contains(where: { $0.number == payload.number }) else { return result }
    blocks[at].shards.append((payload.number, payload.shard))
    switch rebuild(at, window) {
    case .waits: result.isExhausted = payload.number == payload.parityCount - 1
    case .whole(let rebuilt): result.rebuilt = rebuilt
    case .broken: result.isRefused = true
    }
    return result
  }

  /// A packet came, late or sent again: it may be the one that was wanting.
  mutating func complete(_ index: PacketIndex, window: PacketWindow) -> [PacketWindow.Packet] {
    guard let at = blocks.firstIndex(where: { $0.first <= index && index <= $0.last }) else {
      return []
    }
    guard case .whole(let rebuilt) = rebuild(at, window) else { return [] }
    return rebuilt
  }

  /// Packets up to `index` are not needed any more.
  mutating func forget(through index: PacketIndex) { blocks.removeAll { $0.last <= index } }

  mutating func reset() { blocks.removeAll() }

  private enum Attempt {
    /// For more shards.
    case waits
    /// The block was taken out: nothing is missing beside these.
    case whole([PacketWindow.Packet])
    /// The block was taken out: packets and parity are not of one frame.
    case broken
  }

  private mutating func rebuild(_ at: Int, _ window: PacketWindow) -> Attempt {
    let block = blocks[at]
    missing.removeAll(keepingCapacity: true)
    for place in 0..<block.count {
      guard let packet = window[block.first + Int64(place)] else {
        missing.append(place)
        continue
      }
      guard packet.timestamp == block.timestamp,
        packet.bytes.count + ParityShard.headerCount <= block.length
      else {
        blocks.remove(at: at)
        return .broken
      }
    }
    guard missing.count <= block.shards.count else { return .waits }
    blocks.remove(at: at)
    guard !missing.isEmpty else { return .whole([]) }
    layOut(block, window)
    code.rebuild(
      &data, count: block.count, length: block.length, missing: missing, from: parity,
      numbered: numbers)
    var rebuilt: [PacketWindow.Packet] = []
    for place in missing {
      let shard = data[place * block.length..<(place + 1) * block.length]
      guard let (isMarked, bytes) = ParityShard.read(shard),
        let payload = try? VP8Payload(decoding: bytes)
      else { return .broken }
      rebuilt.append(
        PacketWindow.Packet(
          index: block.first + Int64(place), timestamp: block.timestamp, isMarked: isMarked,
          bytes: bytes[...], payload: payload))
    }
    return .whole(rebuilt)
  }

  /// What came of the block, one after the other, with gaps for what is missing.
  private mutating func layOut(_ block: Block, _ window: PacketWindow) {
    data.removeAll(keepingCapacity: true)
    for place in 0..<block.count {
      let packet = window[block.first + Int64(place)]
      ParityShard.append(
        packet?.bytes ?? [], isMarked: packet?.isMarked ?? false, length: block.length, to: &data)
    }
    parity.removeAll(keepingCapacity: true)
    numbers.removeAll(keepingCapacity: true)
    for (number, bytes) in block.shards.prefix(missing.count) {
      numbers.append(number)
      parity.append(contentsOf: bytes)
    }
  }
}
