import Media
import Units

/// One thing broken in a recorded call. A judge that still says yes does not look.
package struct Sabotage: Sendable {
  package let name: String
  package let breakIt: @Sendable (inout CallRecord) -> Void

  private init(_ name: String, _ breakIt: @escaping @Sendable (inout CallRecord) -> Void) {
    self.name = name
    self.breakIt = breakIt
  }

  /// Each applies to the second party's view of the first, or to what the first did.
  package static let all: [Sabotage] = [
    Sabotage("two pictures swapped") { record in
      record.change { seen in
        let middle = seen.count / 2
        guard middle > 1 else { return }
        let clock = seen[middle].clock
        seen[middle].clock = seen[middle - 1].clock
        seen[middle - 1].clock = clock
      }
    },
    Sabotage("one picture in 20 dropped") { record in
      record.change { seen in
        seen = seen.enumerated().filter { $0.offset % 20 != 10 }.map(\.element)
      }
    },
    Sabotage("one picture shown twice") { record in
      record.change { seen in
        if let frame = seen.last { seen.append(frame) }
      }
    },
    Sabotage("one picture in 20 unreadable") { record in
      record.change { seen in
        for index in stride(from: 5, to: seen.count, by: 20) { seen[index].clock = nil }
      }
    },
    Sabotage("pictures of somebody else") { record in
      record.change { seen in
        if let clock = seen.last?.clock {
          seen[seen.count - 1].clock = PaintedClock(
            number: clock.number &+ 500_000, microseconds: clock.microseconds)
        }
      }
    },
    Sabotage("pictures of half the size") { record in
      record.change { seen in
        for index in seen.indices {
          seen[index].size = PictureSize(width: 320, height: 240)
        }
      }
    },
    Sabotage("the last third of the pictures missing") { record in
      record.change { seen in seen.removeLast(seen.count / 3) }
    },
    Sabotage("first picture 600 ms late") { record in
      record.change { seen in
        for index in seen.indices { seen[index].at += .milliseconds(600) }
      }
    },
    Sabotage("no picture at all") { record in
      record.change { $0 = [] }
    },
    Sabotage("quality 1 dB lower") { record in
      for index in record.parties[1].views.indices {
        record.parties[1].views[index].quality? -= 1
      }
    },
    Sabotage("sound muted for the last third") { record in
      let count = record.parties[1].sound?.samples.count ?? 0
      record.parties[1].sound?.mute(count * 2 / 3..<count)
      record.parties[1].marks = nil
    },
    Sabotage("sound 80 ms late") { record in
      record.parties[1].sound?.delay(by: .milliseconds(80))
    },
    Sabotage("a chat line doubled") { record in
      record.changeEvents { lines in
        if let line = lines.last(where: { $0.kind == "chat" }) { lines.append(line) }
      }
    },
    Sabotage("a chat line lost") { record in
      record.changeEvents { lines in
        if let index = lines.lastIndex(where: { $0.kind == "chat" }) { lines.remove(at: index) }
      }
    },
    Sabotage("two chat lines swapped") { record in
      record.changeEvents { lines in
        let chats = lines.indices.filter { lines[$0].kind == "chat" }
        if let first = chats.first, let last = chats.last { lines.swapAt(first, last) }
      }
    },
    Sabotage("a delivery not shown") { record in
      guard
        let index = record.parties[0].events.lines.lastIndex(where: {
          $0.kind == "chat-delivered"
        })
      else { return }
      record.parties[0].events.lines.remove(at: index)
    },
    removing("link"), removing("trust"), removing("room"), removing("left"), removing("stats"),
    removing("first-frame"), removing("first-audio"),
    Sabotage("another path") { record in
      record.path = record.path == "udp-direct" ? "tcp-direct" : "udp-direct"
    },
    Sabotage("an event line that is no JSON") { record in
      record.parties[1].events.lines.append(EventLine("{\"v\":1,", at: .zero))
    },
    Sabotage("exit code 1") { record in record.parties[1].exitCode = 1 },
    Sabotage("no exit at all") { record in record.parties[0].exitCode = nil },
  ]

  private static func removing(_ kind: String) -> Sabotage {
    Sabotage("no \(kind) event") { record in
      record.changeEvents { $0.removeAll { $0.kind == kind } }
    }
  }

  /// The verdict on each sabotage of a record that is good: all must be NO.
  package static func report(on record: CallRecord, limits: CallLimits = CallLimits()) -> Report {
    var report = Report("sabotage")
    var record = record
    record.findChirps()
    let criteria = all.map { [record] sabotage in
      var broken = record
      sabotage.breakIt(&broken)
      let verdict = CallJudgement(broken, limits: limits).report(sabotage.name).verdict
      return Criterion.equal(sabotage.name, "NO", seen: verdict)
    }
    report.add("verdict when one thing is broken", criteria)
    return report
  }
}

extension CallRecord {
  /// The second party's view of the first.
  fileprivate mutating func change(_ body: (inout [SeenFrame]) -> Void) {
    let sender = parties[0].name
    guard let view = parties[1].views.firstIndex(where: { $0.from == sender }) else { return }
    body(&parties[1].views[view].seen)
  }
  fileprivate mutating func changeEvents(_ body: (inout [EventLine]) -> Void) {
    body(&parties[1].events.lines)
  }
}
