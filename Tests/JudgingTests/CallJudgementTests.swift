import Judging
import Media
import Testing
import Units

@Suite struct CallJudgementTests {
  @Test func `a good call is approved`() {
    let report = CallJudgement(sampleCall()).report("sample")
    #expect(report.isMet, "\(report.text)")
    #expect(report.text.hasSuffix("sample: YES\n"))
  }

  @Test func `whatever one thing is broken, the verdict is no`() {
    let report = Sabotage.report(on: sampleCall())
    #expect(report.isMet, "\(report.text)")
    #expect(Sabotage.all.count >= 20)
  }

  @Test func `a report without criteria approves nothing`() {
    #expect(Report("nothing").verdict == "NO")
  }

  @Test func `a report's JSON parses and says the same`() {
    let report = CallJudgement(sampleCall()).report("sample")
    let value = JSONValue(parsing: report.json.utf8)
    #expect(value?["verdict"] == .bool(true))
  }
}

@Suite struct FrameFindingsTests {
  private let size = PictureSize(width: 64, height: 64)

  private func sent(_ count: Int) -> [SentFrame] {
    (0..<count).map {
      SentFrame(number: UInt32($0), at: .zero + .milliseconds(Int64($0) * 10))
    }
  }
  private func seen(_ numbers: [Int]) -> [SeenFrame] {
    numbers.map {
      let at = Instant.zero + .milliseconds(Int64($0) * 10)
      return SeenFrame(
        clock: PaintedClock(number: UInt32($0), at: at), at: at + .milliseconds(7), size: size)
    }
  }

  @Test func `losses, doubles and disorder are counted`() {
    let findings = FrameFindings(
      sent: sent(10), seen: seen([2, 3, 3, 6, 5, 77]), size: size, end: .distantFuture)
    #expect(findings.sent == 8)
    #expect(findings.delivered == 4)
    #expect(findings.doubled == 1)
    #expect(findings.disordered == 1)
    #expect(findings.foreign == 1)
    #expect(findings.latencies.allSatisfy { $0 == .milliseconds(7) })
  }

  @Test func `pictures after the window are not missed`() {
    let end = Instant.zero + .milliseconds(50)
    let findings = FrameFindings(
      sent: sent(100), seen: seen([0, 1, 2, 3, 4, 5]), size: size, end: end)
    #expect(findings.sent == 6)
    #expect(findings.deliveredPercent == 100)
  }

  @Test func `a gap over 150 ms is a freeze, also at the end`() {
    let findings = FrameFindings(
      sent: sent(100), seen: seen([0, 1, 30, 31]), size: size,
      end: .zero + .milliseconds(1_000))
    #expect(findings.freezes == 2)
    #expect(findings.frozen == .milliseconds(290 + 1_000 - 317))
  }

  @Test func `percentiles are nearest ranks`() {
    #expect(percentile(50, of: [3, 1, 2]) == 2)
    #expect(percentile(95, of: Array(stride(from: 1, through: 100, by: 1))) == 95)
    #expect(percentile(99, of: [5]) == 5)
    #expect(percentile(50, of: []) == nil)
  }
}

@Suite struct SoundTests {
  @Test func `chirps are found with the time that they took`() {
    let start = Instant(nanoseconds: 7_400_000_000)
    var log = SoundLog()
    let tone = ToneSignal(voice: 2)
    for block in 0..<400 {
      let at = start + .milliseconds(Int64(block) * 10)
      log.append(tone.samples(from: at, count: 480), at: at + .milliseconds(33))
    }
    let marks = ChirpDetector().marks(in: log.samples)
    let findings = ChirpFindings(
      marks: marks, log: log, voice: 2, from: start, to: start + .seconds(4))
    #expect(findings.expected == [8, 9, 10])
    #expect(findings.heard == [8, 9, 10])
    #expect(
      findings.latencies.allSatisfy { ($0 - .milliseconds(33)).magnitude < .milliseconds(1) })
    let other = ChirpFindings(
      marks: marks, log: log, voice: 0, from: start, to: start + .seconds(4))
    #expect(other.heard.isEmpty)
  }
}

@Suite struct PictureQualityTests {
  @Test func `noise of one step is 48 dB`() {
    let size = PictureSize(width: 32, height: 32)
    let dark = Picture(size: size) { $0.initializeMemory(as: UInt8.self, repeating: 100) }
    let light = Picture(size: size) { $0.initializeMemory(as: UInt8.self, repeating: 101) }
    #expect((peakSignalToNoise(light, against: dark) - 48.13).magnitude < 0.01)
    #expect(peakSignalToNoise(dark, against: dark) == 99)
  }
}

@Suite struct JSONValueTests {
  @Test func `objects, numbers, escapes and surrogates are read`() {
    let text = #" {"a":[1,-2.5e3,true,null],"b":{"c":"x\"\\\n\u00e9\ud83d\ude00/"}} "#
    let value = JSONValue(parsing: text.utf8)
    #expect(value?["a"] == .array([.number(1), .number(-2500), .bool(true), .null]))
    #expect(value?["b"]?["c"]?.string == "x\"\\\né😀/")
  }

  @Test(
    arguments: [
      "", "{", "{\"a\"}", "{\"a\":1,}", "[1 2]", "\"\\ud83d\"", "\"\u{1}\"", "tru", "1 2", "nul",
      String(repeating: "[", count: 100),
    ])
  func `what is no JSON is refused`(text: String) {
    #expect(JSONValue(parsing: text.utf8) == nil)
  }

  @Test func `event lines that break the promise are found`() {
    var log = EventLog()
    let texts = [
      #"{"v":1,"event":"room","t":1}"#, #"{"v":2,"event":"room","t":1}"#,
      #"{"v":1,"event":"rooms","t":1}"#, #"{"v":1,"event":"left","t":0.5}"#, "hello",
    ]
    log.lines = texts.map { EventLine($0, at: .zero) }
    #expect(log.broken.map(\.text) == Array(texts.dropFirst()))
  }
}
