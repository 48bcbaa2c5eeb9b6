import Media
import Units

/// Judges a recorded call: every direction's picture, sound and chat, then each program's events
/// and end.
package struct CallJudgement: Sendable {
  private var record: CallRecord
  private let limits: CallLimits

  package init(_ record: CallRecord, limits: CallLimits = CallLimits()) {
    self.record = record
    self.record.findChirps()
    self.limits = limits
  }

  package func report(_ title: String) -> Report {
    var report = Report(title)
    for receiver in record.parties {
      for sender in record.parties where sender.name != receiver.name {
        let criteria =
          pictures(from: sender, at: receiver) + sound(from: sender, at: receiver)
          + chat(from: sender, at: receiver)
        report.add("\(sender.name) → \(receiver.name)", criteria)
      }
    }
    for party in record.parties { report.add(party.name, conduct(of: party)) }
    return report
  }

  /// The last instant whose picture must have arrived: a second before either side ended.
  private func end(_ sender: PartyRecord, _ receiver: PartyRecord) -> Instant {
    let left = [sender, receiver].map { party in
      min(party.endedAt, party.events.first("left")?.at ?? .distantFuture)
    }
    let last = sender.sent.last?.at ?? .zero
    return min(left[0], left[1], last) - .seconds(1)
  }

  private func pictures(from sender: PartyRecord, at receiver: PartyRecord) -> [Criterion] {
    guard !sender.sent.isEmpty else { return [] }
    let view = receiver.views.first { $0.from == sender.name }
    let findings = FrameFindings(
      sent: sender.sent, seen: view?.seen ?? [], size: record.size, end: end(sender, receiver))
    let joined = max(sender.startedAt, receiver.startedAt)
    let firstFrame = findings.firstSeen.map { ($0 - joined).milliseconds }
    let sizes = receiver.events.all("stats").filter {
      $0["name"]?.string == sender.name && $0.number("recv.fps") ?? 0 > 0
    }
    let full = sizes.filter {
      $0.number("recv.width") == Double(record.size.width)
        && $0.number("recv.height") == Double(record.size.height)
    }
    var criteria: [Criterion] = [
      .atMost(
        "first picture after joining", limits.firstFrame.milliseconds, "ms", seen: firstFrame),
      .atLeast(
        "pictures delivered", limits.deliveredPercent, "%",
        seen: findings.sent == 0 ? nil : findings.deliveredPercent),
      .equal("pictures out of order", 0, seen: findings.disordered),
      .equal("pictures shown twice", 0, seen: findings.doubled),
      .equal("pictures of somebody else", 0, seen: findings.foreign),
      // A picture at the lowest rates may lose its numbers: 1 in 100.
      .atMost(
        "pictures unreadable", 1, "%",
        seen: view.map { 100 * Double(findings.unreadable) / Double(max(1, $0.seen.count)) }),
      Criterion(
        "pictures of another size", limit: "0",
        seen: "\(findings.otherSizes)" + (findings.otherSize.map { ", \($0)" } ?? ""),
        isMet: findings.otherSizes == 0),
      .atLeast(
        "seconds sent at full size", limits.deliveredPercent, "%",
        seen: sizes.isEmpty ? nil : 100 * Double(full.count) / Double(sizes.count)),
    ]
    if let local = view?.localQuality {
      criteria.append(
        .atMost(
          "quality below the encoder alone", limits.qualityLoss, "dB",
          seen: view?.quality.map { local - $0 }))
    }
    return criteria
  }

  private func sound(
    from sender: PartyRecord, at receiver: PartyRecord
  ) -> [Criterion] {
    guard let from = sender.soundFrom, let to = sender.soundTo, let log = receiver.sound else {
      return []
    }
    let heardFrom = receiver.events.all("first-audio").first { $0["name"]?.string == sender.name }
    let view = receiver.views.first { $0.from == sender.name }
    // What was said before the other could hear it is not missed: a second after both were there.
    let start = max(from, max(sender.startedAt, receiver.startedAt) + .seconds(1))
    let chirps = ChirpFindings(
      marks: receiver.marks ?? [], log: log, voice: sender.voice, from: start,
      to: min(to, end(sender, receiver)))
    var criteria: [Criterion] = [
      .equal("first-audio event", true, seen: heardFrom != nil),
      .atLeast(
        "chirps heard of \(chirps.expected.count)", limits.heardPercent, "%",
        seen: chirps.expected.isEmpty ? nil : chirps.heardPercent),
    ]
    if let view, !sender.sent.isEmpty {
      let skews = chirps.skews(against: view.seen).map(\.magnitude)
      criteria.append(
        .atMost(
          "sound against picture, p95", limits.skew.milliseconds, "ms",
          seen: skews.percentile(95)))
    }
    return criteria
  }

  private func chat(from sender: PartyRecord, at receiver: PartyRecord) -> [Criterion] {
    guard !sender.chatSent.isEmpty else { return [] }
    let heard = receiver.events.all("chat").filter { $0["name"]?.string == sender.name }
    let ids = heard.compactMap { $0["id"]?.string }
    // What the sender's program called each line, in the order of sending.
    let own = sender.events.all("chat-sent").compactMap { $0["id"]?.string }
    let receipts = sender.events.all("chat-delivered").filter {
      $0["name"]?.string == receiver.name
    }.compactMap { $0["id"]?.string }
    return [
      .equal(
        "chat lines, once and in order", true,
        seen: heard.compactMap { $0["text"]?.string } == sender.chatSent),
      .equal("chat ids differ", true, seen: Set(ids).count == ids.count && !ids.isEmpty),
      .equal(
        "chat delivery shown once each", true,
        seen: own.count == sender.chatSent.count && receipts.sorted() == own.sorted()),
    ]
  }

  private func conduct(of party: PartyRecord) -> [Criterion] {
    let events = party.events
    let others = record.parties.filter { $0.name != party.name }
    let names = { (lines: [EventLine]) in Set(lines.compactMap { $0["name"]?.string }) }
    let everyone = Set(others.map(\.name))
    let links = events.all("link")
    let firstLinks = others.map { other in
      links.last { $0["name"]?.string == other.name }?["path"]?.string ?? "none"
    }
    let trusted = events.all("trust").filter {
      ["new", "known", "verified"].contains($0["state"]?.string ?? "")
    }
    let senders = Set(others.filter { !$0.sent.isEmpty }.map(\.name))
    let seconds = events.lines.last?.number("t") ?? 0
    return [
      .equal("exit code", 0, seen: party.exitCode),
      .equal("broken event lines", 0, seen: events.broken.count),
      .equal(
        "room and left events", [1, 1], seen: [events.all("room").count, events.all("left").count]),
      .equal("left says exit code", 0, seen: events.first("left")?["exit_code"]?.integer),
      .equal(
        "peer-joined from everyone", true,
        seen: names(events.all("peer-joined")).isSuperset(of: everyone)
          || events.all("peer-joined").count >= others.count),
      .equal("path of every link", true, seen: firstLinks.allSatisfy { $0 == record.path }),
      .equal(
        "links name a cipher", true,
        seen: !links.isEmpty && links.allSatisfy { $0["cipher"]?.string?.isEmpty == false }),
      .equal("trust in everyone", true, seen: names(trusted).isSuperset(of: everyone)),
      .equal(
        "first-frame of every sender", true,
        seen: names(events.all("first-frame")).isSuperset(of: senders)),
      .atLeast(
        "stats a second and peer", 0.7, "",
        seen: seconds < 4
          ? nil
          : Double(events.all("stats").count) / Double(others.count) / (seconds - 2)),
      .equal("error events", 0, seen: events.all("error").count),
    ]
  }
}
