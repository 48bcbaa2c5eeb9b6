import CISAL
import Media

/// A Cauchy matrix over GF(2^8) below the identity: the rows of ISA-L's `gf_gen_cauchy1_matrix`, of
/// which every square part can be inverted. ISA-L picks the instructions that the processor has.
package struct CauchyErasureCode: ErasureCode {
  /// Bytes that ISA-L makes of a coefficient.
  private static let tableBytes = 32

  package init() {}

  package func encode(
    _ data: [UInt8], count: Int, length: Int, parityCount: Int, into parity: inout [UInt8]
  ) {
    precondition(count > 0 && parityCount >= 0 && count + parityCount <= 255)
    precondition(length > 0 && data.count >= count * length)
    guard parityCount > 0 else { return }
    let start = parity.count
    parity.append(contentsOf: repeatElement(0, count: parityCount * length))
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: count * parityCount) { matrix in
      for row in 0..<parityCount {
        for column in 0..<count {
          matrix[row * count + column] = Self.coefficient(row, column, of: count)
        }
      }
      data.withUnsafeBufferPointer { data in
        parity.withUnsafeMutableBufferPointer { parity in
          guard let from = data.baseAddress, let to = parity.baseAddress else { return }
          // ISA-L only reads its sources.
          let source = UnsafeMutablePointer(mutating: from)
          Self.multiply(
            matrix, length: length, inputs: count, outputs: parityCount,
            input: { source + $0 * length }, output: { to + start + $0 * length })
        }
      }
    }
  }

  package func rebuild(
    _ data: inout [UInt8], count: Int, length: Int, missing: [Int], from parity: [UInt8],
    numbered numbers: [Int]
  ) {
    let gaps = missing.count
    precondition(count > 0 && gaps <= count && gaps == numbers.count)
    precondition(length > 0 && data.count >= count * length && parity.count >= gaps * length)
    precondition(missing.allSatisfy { $0 >= 0 && $0 < count })
    precondition(numbers.allSatisfy { $0 >= 0 && count + $0 < 256 })
    guard gaps > 0 else { return }
    let known = (0..<count).filter { !missing.contains($0) }
    let inverse = Self.inverse(of: missing, numbered: numbers, count: count)
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: gaps * count) { matrix in
      for gap in 0..<gaps {
        // What the known shards put into the parity is taken off again (addition is its own
        // inverse), then the system of the missing ones is solved: both in one matrix.
        for (place, column) in known.enumerated() {
          var sum: UInt8 = 0
          for row in 0..<gaps {
            sum ^= gf_mul(
              inverse[gap * gaps + row], Self.coefficient(numbers[row], column, of: count))
          }
          matrix[gap * count + place] = sum
        }
        for row in 0..<gaps {
          matrix[gap * count + known.count + row] = inverse[gap * gaps + row]
        }
      }
      data.withUnsafeMutableBufferPointer { data in
        parity.withUnsafeBufferPointer { parity in
          guard let shards = data.baseAddress, let extra = parity.baseAddress else { return }
          let source = UnsafeMutablePointer(mutating: extra)
          Self.multiply(
            matrix, length: length, inputs: count, outputs: gaps,
            input: {
              $0 < known.count
                ? shards + known[$0] * length : source + ($0 - known.count) * length
            }, output: { shards + missing[$0] * length })
        }
      }
    }
  }

  /// What shard `column` counts in parity shard `row`.
  private static func coefficient(_ row: Int, _ column: Int, of count: Int) -> UInt8 {
    gf_inv(UInt8(truncatingIfNeeded: (count + row) ^ column))
  }

  /// Of the square part of the matrix in these rows and the columns `missing`.
  private static func inverse(
    of missing: [Int], numbered numbers: [Int], count: Int
  ) -> [UInt8] {
    var part = numbers.flatMap { row in missing.map { coefficient(row, $0, of: count) } }
    var inverse = [UInt8](repeating: 0, count: part.count)
    let status = gf_invert_matrix(&part, &inverse, Int32(missing.count))
    precondition(status == 0, "a part of a Cauchy matrix cannot be inverted: a number came twice")
    return inverse
  }

  private static func multiply(
    _ matrix: UnsafeMutableBufferPointer<UInt8>, length: Int, inputs: Int, outputs: Int,
    input: (Int) -> UnsafeMutablePointer<UInt8>, output: (Int) -> UnsafeMutablePointer<UInt8>
  ) {
    typealias Shard = UnsafeMutablePointer<UInt8>?
    withUnsafeTemporaryAllocation(
      of: UInt8.self, capacity: inputs * outputs * tableBytes
    ) { tables in
      withUnsafeTemporaryAllocation(of: Shard.self, capacity: inputs + outputs) { pointers in
        for index in 0..<inputs { pointers.initializeElement(at: index, to: input(index)) }
        for index in 0..<outputs {
          pointers.initializeElement(at: inputs + index, to: output(index))
        }
        guard let first = pointers.baseAddress else { return }
        ec_init_tables(
          Int32(inputs), Int32(outputs), matrix.baseAddress, tables.baseAddress)
        ec_encode_data(
          Int32(length), Int32(inputs), Int32(outputs), tables.baseAddress, first,
          first + inputs)
      }
    }
  }
}
