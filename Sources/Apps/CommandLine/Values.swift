import Media
import Rooms
import Units
import Wire

/// Parsers of option values. Each throws the end of a sentence that begins with the option's name.

/// `15s`, `2m`, `1h`, `30d`, `500ms`, `1.5s`, within `limits`.
func duration(_ text: String, in limits: ClosedRange<Interval>) throws(UsageError) -> Interval {
  let units = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86_400.0)]
  for (unit, seconds) in units where text.hasSuffix(unit) {
    guard let count = decimal(text.dropLast(unit.count)) else { continue }
    let length = count * seconds
    guard length <= limits.upperBound.seconds, limits.contains(.seconds(length)) else { break }
    return .seconds(length)
  }
  throw UsageError(
    "takes a time with its unit from \(limits.lowerBound.plain) to \(limits.upperBound.plain); "
      + "write for example 90m or 2h")
}

extension Interval {
  static func minutes(_ count: Double) -> Interval { .seconds(count * 60) }
  static func days(_ count: Double) -> Interval { .seconds(count * 86_400) }
  /// As `duration` reads it, for limits.
  fileprivate var plain: String {
    let milliseconds = Int64(milliseconds)
    let units = [("d", Int64(86_400_000)), ("m", 60_000), ("s", 1_000)]
    let unit = units.first { milliseconds % $0.1 == 0 }
    return unit.map { "\(milliseconds / $0.1)\($0.0)" } ?? "\(milliseconds)ms"
  }
}

/// Members at once: as many as a room's snapshot names, and oneself.
func roomSize(_ text: String) throws(UsageError) -> Int {
  guard let size = number(text[...]), (2...RoomSnapshot.memberLimit).contains(size) else {
    throw UsageError("takes 2 to \(RoomSnapshot.memberLimit) people; write for example 8")
  }
  return size
}

/// `1.5M`, `800k`, `1500000` bits a second, 30k…100M.
func bitrate(_ text: String) throws(UsageError) -> Bitrate {
  let units = [("k", 1e3), ("K", 1e3), ("m", 1e6), ("M", 1e6)]
  let unit = units.first { text.hasSuffix($0.0) }
  guard let count = decimal(unit == nil ? text[...] : text.dropLast()),
    (30_000.0...100_000_000.0).contains(count * (unit?.1 ?? 1))
  else {
    throw UsageError("takes bits a second from 30k to 100M; write for example 800k or 1.5M")
  }
  return Bitrate(bitsPerSecond: Int64((count * (unit?.1 ?? 1)).rounded()))
}

/// `1280x720`: both even, 16…4096.
func pictureSize(_ text: String) throws(UsageError) -> PictureSize {
  let parts = text.split(omittingEmptySubsequences: false) { "xX×".contains($0) }
  if parts.count == 2, let width = number(parts[0]), let height = number(parts[1]) {
    let size = PictureSize(width: width, height: height)
    if size.isValid { return size }
  }
  throw UsageError("takes even sides from 16 to 4096; write for example 1280x720")
}

func framesPerSecond(_ text: String) throws(UsageError) -> Int {
  guard let rate = number(text[...]), (1...60).contains(rate) else {
    throw UsageError("takes whole pictures a second from 1 to 60; write for example 30")
  }
  return rate
}

/// `low`, `medium`, `high`, `auto` or a size.
func receiveChoice(_ text: String) throws(UsageError) -> ReceiveChoice {
  if let quality = QualityChoice(rawValue: text) { return .quality(quality) }
  guard text.first?.isNumber == true else {
    throw UsageError("takes low, medium, high, auto or a size; write for example medium or 640x360")
  }
  return .size(try pictureSize(text))
}

/// One of an enum's raw values.
func choice<Value: RawRepresentable & CaseIterable & SendableMetatype>(
  _ type: Value.Type
) -> @Sendable (String) throws(UsageError) -> Value
where Value.RawValue == String, Value.AllCases: SendableMetatype {
  { (text) throws(UsageError) in
    if let value = Value(rawValue: text) { return value }
    let names = Value.allCases.map(\.rawValue)
    let meant = suggestion(for: text, among: names).map { "; did you mean \($0)?" }
    throw UsageError("takes \(names.joined(separator: ", "))\(meant ?? "; choose one of them")")
  }
}

/// A path that is not empty.
func filePath(_ text: String) throws(UsageError) -> String {
  guard !text.isEmpty else { throw UsageError("needs a path; name a file") }
  return text
}

/// As Linux takes it (IFNAMSIZ): 1 to 15 bytes, no space and no slash.
func interfaceName(_ text: String) throws(UsageError) -> String {
  let isPlain = text.utf8.allSatisfy { $0 > 32 && $0 != 47 && $0 != 127 }
  guard isPlain, (1...15).contains(text.utf8.count) else {
    throw UsageError("takes a network interface as ip link lists it; write for example eth0")
  }
  return text
}

/// What others see: one line, not longer than is shown, without control characters.
func displayName(_ text: String) throws(UsageError) -> String {
  let printable = text.unicodeScalars.allSatisfy { !$0.isTerminalControl }
  let limit = NeutralText.nameLimit
  guard printable, (1...limit).contains(text.count), text.utf8.count <= 256 else {
    throw UsageError("takes 1 to \(limit) printable characters; choose a shorter, plain name")
  }
  return text
}

/// `HOST[:PORT]`.
func serverAddress(_ text: String) throws(UsageError) -> ServerAddress {
  do { return try ServerAddress(text: text) } catch {
    throw UsageError("is refused: \(error)")
  }
}

/// `sha256:` and 43 unpadded base64url characters.
func serverPin(_ text: String) throws(UsageError) -> KeyFingerprint {
  if text.hasPrefix("sha256:"), let pin = KeyFingerprint(text: text) { return pin }
  throw UsageError(
    "takes sha256: and 43 characters; copy the pin that p2pcall-rendezvous printed at its start")
}

private func number(_ text: Substring) -> Int? {
  text.utf8.allSatisfy { (48...57).contains($0) } ? Int(text) : nil
}

/// Digits with at most one point: no sign, exponent, infinity or NaN.
private func decimal(_ text: Substring) -> Double? {
  guard text.utf8.allSatisfy({ (48...57).contains($0) || $0 == 46 }) else { return nil }
  return Double(text)
}
