import Media

/// The Fourier transform of 1 024 real samples, as a complex one of 512 points whose even samples
/// are real parts and whose odd ones are imaginary parts.
struct RealTransform: ~Copyable {
  static let length = 1_024
  static let bins = 512

  private let real = Lanes(bins)
  private let imaginary = Lanes(bins)
  /// Twiddles of each stage, one stage after the other: stage of half h begins at h.
  private let cosines = Lanes(bins)
  private let sines = Lanes(bins)
  /// e^(−2πik/1024), which joins the halves.
  private let joinCosines = Lanes(bins)
  private let joinSines = Lanes(bins)
  private let reversed: [Int]

  init() {
    reversed = (0..<Self.bins).map { index in
      (0..<9).reduce(0) { $0 << 1 | (index >> $1 & 1) }
    }
    var half = 1
    while half < Self.bins {
      for k in 0..<half {
        let turns = Double(k) / Double(2 * half)
        cosines.values[half + k] = Float(sine(turns: turns + 0.25))
        sines.values[half + k] = Float(-sine(turns: turns))
      }
      half *= 2
    }
    for k in 0..<Self.bins {
      let turns = Double(k) / Double(Self.length)
      joinCosines.values[k] = Float(sine(turns: turns + 0.25))
      joinSines.values[k] = Float(-sine(turns: turns))
    }
  }

  /// 1 024 samples to 512 bins at `re` and `im`.
  func forward(
    _ time: UnsafePointer<Float>, _ re: UnsafeMutablePointer<Float>,
    _ im: UnsafeMutablePointer<Float>
  ) {
    let a = real.values
    let b = imaginary.values
    for index in 0..<Self.bins {
      let from = reversed[index]
      a[index] = time[2 * from]
      b[index] = time[2 * from + 1]
    }
    turn(real, imaginary)
    re[0] = a[0] + b[0]
    im[0] = 0
    for k in 1..<Self.bins {
      let mirror = Self.bins - k
      let evenRe = 0.5 * (a[k] + a[mirror])
      let evenIm = 0.5 * (b[k] - b[mirror])
      let oddRe = 0.5 * (b[k] + b[mirror])
      let oddIm = 0.5 * (a[mirror] - a[k])
      let c = joinCosines.values[k]
      let s = joinSines.values[k]
      re[k] = evenRe + oddRe * c - oddIm * s
      im[k] = evenIm + oddRe * s + oddIm * c
    }
  }

  /// Back again: 1 024 samples at `time`.
  func inverse(
    _ re: UnsafePointer<Float>, _ im: UnsafePointer<Float>, _ time: UnsafeMutablePointer<Float>
  ) {
    // Swapped parts make a forward transform an inverse one.
    let a = imaginary.values
    let b = real.values
    for index in 0..<Self.bins {
      let k = reversed[index]
      let mirror = Self.bins - k
      // The bin at 24 kHz is zero.
      let mirrorRe = k == 0 ? 0 : re[mirror]
      let mirrorIm = k == 0 ? 0 : im[mirror]
      let evenRe = re[k] + mirrorRe
      let evenIm = im[k] - mirrorIm
      let differenceRe = re[k] - mirrorRe
      let differenceIm = im[k] + mirrorIm
      let c = joinCosines.values[k]
      let s = joinSines.values[k]
      let oddRe = differenceRe * c + differenceIm * s
      let oddIm = differenceIm * c - differenceRe * s
      a[index] = evenRe - oddIm
      b[index] = evenIm + oddRe
    }
    turn(real, imaginary)
    let scale = 1 / Float(Self.length)
    for index in 0..<Self.bins {
      time[2 * index] = a[index] * scale
      time[2 * index + 1] = b[index] * scale
    }
  }

  /// Radix 2 in place, from bit-reversed order.
  private func turn(_ re: borrowing Lanes, _ im: borrowing Lanes) {
    var half = 1
    while half < 8 {
      turnNarrow(re.values, im.values, half)
      half *= 2
    }
    while half < Self.bins {
      let width = half / 8
      let cosine = cosines.eights + width
      let sine = sines.eights + width
      var start = 0
      while start < Self.bins / 8 {
        let lowRe = re.eights + start
        let lowIm = im.eights + start
        let highRe = lowRe + width
        let highIm = lowIm + width
        for k in 0..<width {
          let turnedRe = highRe[k] * cosine[k] - highIm[k] * sine[k]
          let turnedIm = highRe[k] * sine[k] + highIm[k] * cosine[k]
          highRe[k] = lowRe[k] - turnedRe
          highIm[k] = lowIm[k] - turnedIm
          lowRe[k] += turnedRe
          lowIm[k] += turnedIm
        }
        start += 2 * width
      }
      half *= 2
    }
  }

  private func turnNarrow(
    _ re: UnsafeMutablePointer<Float>, _ im: UnsafeMutablePointer<Float>, _ half: Int
  ) {
    var start = 0
    while start < Self.bins {
      for k in start..<start + half {
        let c = cosines.values[half + k - start]
        let s = sines.values[half + k - start]
        let turnedRe = re[k + half] * c - im[k + half] * s
        let turnedIm = re[k + half] * s + im[k + half] * c
        re[k + half] = re[k] - turnedRe
        im[k + half] = im[k] - turnedIm
        re[k] += turnedRe
        im[k] += turnedIm
      }
      start += 2 * half
    }
  }
}
