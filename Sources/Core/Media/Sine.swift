/// The sine of an angle in turns, to about 1e-9. Core imports no C library that would have one.
package func sine(turns: Double) -> Double {
  // Into −½…½, then by symmetry into −¼…¼, where the series to x¹³ is close enough.
  var angle = turns - turns.rounded()
  if angle > 0.25 { angle = 0.5 - angle }
  if angle < -0.25 { angle = -0.5 - angle }
  let x = angle * 2 * .pi
  let square = x * x
  var sum = 1.0
  for denominator in [156.0, 110, 72, 42, 20, 6] { sum = 1 - square / denominator * sum }
  return x * sum
}
