import Glibc
package import Media

/// Peak signal-to-noise ratio of luma in dB; 99 for equal pictures. Sizes must be equal.
package func peakSignalToNoise(_ picture: Picture, against original: Picture) -> Double {
  precondition(picture.size == original.size, "pictures of two sizes cannot be compared")
  let (left, right) = (picture.luma, original.luma)
  var sum: Int64 = 0
  for index in 0..<left.count {
    let difference = Int32(left[index]) - Int32(right[index])
    sum += Int64(difference * difference)
  }
  guard sum > 0 else { return 99 }
  let mean = Double(sum) / Double(left.count)
  return min(99, 10 * log10(255 * 255 / mean))
}
