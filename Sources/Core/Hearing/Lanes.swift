/// Eight values at a time: what the filters below compute with.
typealias Eight = SIMD8<Float>

/// A fixed stretch of values with one owner, reached as single ones or eight at a time; nothing is
/// allocated after the start. The indices are the owner's own: no length comes from outside.
struct Lanes: ~Copyable {
  let count: Int
  let values: UnsafeMutablePointer<Float>
  let eights: UnsafeMutablePointer<Eight>

  init(_ count: Int, repeating value: Float = 0) {
    precondition(count > 0 && count % 8 == 0, "lanes come in eights")
    self.count = count
    eights = .allocate(capacity: count / 8)
    eights.initialize(repeating: Eight(repeating: value), count: count / 8)
    values = UnsafeMutableRawPointer(eights).assumingMemoryBound(to: Float.self)
  }

  deinit { eights.deallocate() }

  func fill(_ value: Float) { eights.update(repeating: Eight(repeating: value), count: count / 8) }

  /// Drops the oldest values for as many new ones at the end.
  func slide(in new: UnsafePointer<Float>, count added: Int) {
    values.update(from: values + added, count: count - added)
    (values + count - added).update(from: new, count: added)
  }
}

/// 512 complex bins of 46.875 Hz: those of 1 024 samples, without the one at 24 kHz.
struct Spectrum: ~Copyable {
  let real = Lanes(RealTransform.bins)
  let imaginary = Lanes(RealTransform.bins)
}
