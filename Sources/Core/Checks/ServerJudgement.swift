import Rooms
import Units

/// Time, the server and its certificate.
extension CheckVerdict {
  /// Seconds. Members allow each other as much with the end of a room (docs/protocol.md).
  private static let grace: Int64 = 300

  init(_ clock: ClockFinding, _ identity: ServerIdentity?) {
    let remedy = "set the clock; timedatectl set-ntp true keeps it right on most systems"
    let isOutsideCertificate =
      identity.map { identity in
        (identity.notBefore ?? .min) > clock.own || (identity.notAfter ?? .max) < clock.own
      } ?? false
    if let server = clock.server {
      let ahead = clock.own - server
      let details: [Detail] = [.number("ahead_s", Double(ahead))]
      let size = ahead.magnitude
      guard size > UInt64(Self.grace) else {
        let text = size < 2 ? "it agrees with the server's" : "it is \(size) s off the server's"
        self.init(.clock, .ok, text, details: details)
        return
      }
      self.init(
        .clock, .warning,
        "it is \(size) s \(ahead > 0 ? "ahead of" : "behind") the server's: rooms and certificates "
          + "may pass for expired", remedy: remedy, details: details)
    } else if isOutsideCertificate {
      self.init(
        .clock, .warning, "it shows a time outside of that of the server's certificate",
        remedy: remedy)
    } else if let isSynchronized = clock.isSynchronized {
      self.init(
        .clock, isSynchronized ? .ok : .unknown,
        isSynchronized
          ? "the system keeps it right by a time server"
          : "nothing keeps it right, and the server told no time to compare it with",
        remedy: isSynchronized ? "" : remedy)
    } else {
      self.init(.clock, .unknown, "neither the system nor the server says whether it is right")
    }
  }

  static func server(_ findings: Findings) -> CheckVerdict {
    let name = findings.serverName
    switch findings.network.server {
    case .entered(let after):
      return CheckVerdict(
        .server, .ok, "\(name) let us in within \(milliseconds(after)) ms",
        details: [.number("ms", after.milliseconds)])
    case .notFound(let reason):
      return CheckVerdict(
        .server, .failed, reason,
        remedy: "check --server and the connection to the internet, or give the server's address "
          + "as a number")
    case .unreachable(let reason):
      // The address is in it where there may be several for the name.
      let known = "\(name): "
      let why = reason.hasPrefix(known) ? reason.dropFirst(known.count) : reason[...]
      return CheckVerdict(
        .server, .failed, "\(name) cannot be reached over TCP (\(why))",
        remedy: "check --server, that p2pcall-rendezvous runs there, and that its firewall lets "
          + "the port in over TCP and UDP")
    case .silent:
      return CheckVerdict(
        .server, .failed, "\(name) did not answer in time",
        remedy: "check --server and the connection to the internet; a firewall on the way may "
          + "swallow what is sent there")
    case .refused:
      return CheckVerdict(
        .server, .failed, "\(name) answers and makes no room for us",
        remedy: "try again in a minute; if the clock here is wrong, set it")
    case .certificateRefused:
      return CheckVerdict(
        .server, .failed, "\(name) lets in only people with a certificate of its CA",
        remedy: "get one from whoever runs it and pass it with --cert FILE --key FILE, together "
          + "with --server-pin PIN or --ca FILE")
    case .rejected:
      return CheckVerdict(
        .server, .failed, "\(name) answers, and is not trusted",
        remedy: "see the certificate below")
    }
  }

  static func certificate(_ identity: ServerIdentity, now: Int64) -> CheckVerdict {
    let pin = Detail.text("pin", identity.pin.description)
    let until = identity.notAfter.map { Detail.text("not_after", date($0)) }
    let details = [pin] + (until.map { [$0] } ?? [])
    switch identity.standing {
    case .refused(let sentence):
      let parts = sentence.split(separator: ";", maxSplits: 1)
      let remedy = parts.count > 1 ? String(parts[1].drop { $0 == " " }) : ""
      return CheckVerdict(
        .certificate, .failed, String(parts[0]), remedy: remedy, details: details)
    case .unknown:
      return CheckVerdict(
        .certificate, .warning, "the server is new to this computer: nothing vouches for its key",
        remedy: "compare its pin with what p2pcall-rendezvous printed there, and if it is the same "
          + "pass --server-pin \(identity.pin)", details: details)
    case .accepted(let ground):
      let text =
        switch ground {
        case .pin: "it has the key of --server-pin"
        case .authority: "--ca vouches for it"
        case .known: "it has the key that is remembered"
        case .system: "the system vouches for it"
        }
      guard let notAfter = identity.notAfter else {
        return CheckVerdict(.certificate, .ok, text, details: details)
      }
      // A key that is known by itself is good without its dates.
      let areDatesJudged = ground == .authority || ground == .system
      let left = (notAfter - now) / 86_400
      if areDatesJudged, left < Self.renewalDays {
        return CheckVerdict(
          .certificate, .warning, "\(text), until \(date(notAfter)): \(max(0, left)) days are left",
          remedy: "ask whoever runs the server to renew it", details: details)
      }
      return CheckVerdict(
        .certificate, .ok, areDatesJudged ? "\(text), until \(date(notAfter))" : text,
        details: details)
    }
  }

  /// Certificates that are renewed by themselves are so a month ahead of their end.
  private static let renewalDays: Int64 = 14

  static func milliseconds(_ interval: Interval) -> Int {
    max(1, Int(interval.milliseconds.rounded()))
  }

  /// `2026-11-21`, of seconds since 1970, in UTC.
  static func date(_ seconds: Int64) -> String {
    // Days are counted from 1 March of year 0, so that the leap day is a year's last.
    let days = (seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400) + 719_468
    let era = (days >= 0 ? days : days - 146_096) / 146_097
    let ofEra = days - era * 146_097
    let yearOfEra = (ofEra - ofEra / 1_460 + ofEra / 36_524 - ofEra / 146_096) / 365
    let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * ofYear + 2) / 153
    let day = ofYear - (153 * shifted + 2) / 5 + 1
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    func padded(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
    return "\(year)-\(padded(month))-\(padded(day))"
  }
}
