/// A systematic erasure code over bytes: `count` data shards and some parity shards, all of one
/// length, of which any `count` give the data back.
///
/// `count` and the highest parity number together are at most 255. The same input gives the same
/// bytes on every machine.
package protocol ErasureCode: Sendable {
  /// Appends `parityCount` shards to `parity`. `data` is `count` shards of `length` bytes, one after
  /// the other.
  func encode(
    _ data: [UInt8], count: Int, length: Int, parityCount: Int, into parity: inout [UInt8])

  /// Fills the shards numbered `missing` of `data` (laid out as for `encode`, whatever stands in the
  /// gaps) from as many shards in `parity`, whose numbers, from 0, are `numbers`. `missing` and
  /// `numbers` hold nothing twice.
  func rebuild(
    _ data: inout [UInt8], count: Int, length: Int, missing: [Int], from parity: [UInt8],
    numbered numbers: [Int])
}
