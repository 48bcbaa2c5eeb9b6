import Judging
import Media
import Units

/// A call of two parties, twelve seconds long, made up: everything arrives 20 ms later.
func sampleCall() -> CallRecord {
  let size = PictureSize(width: 640, height: 480)
  let start = Instant(nanoseconds: 100_300_000_000)
  let names = ["ann", "bob"]
  var parties = names.enumerated().map { index, name in
    PartyRecord(name: name, voice: index, startedAt: start + .milliseconds(Int64(index) * 100))
  }
  let end = start + .seconds(12)
  for index in parties.indices {
    let other = names[1 - index]
    parties[index].sent = (0..<350).map { number in
      SentFrame(
        number: UInt32(index * 1_000_000 + number),
        at: start + .milliseconds(Int64(number) * 100 / 3))
    }
    parties[index].soundFrom = start
    parties[index].soundTo = end
    parties[index].chatSent = ["one from \(name(index))", "two", "three"]
    parties[index].exitCode = 0
    parties[index].endedAt = end
    var lines = [
      #""room","t":0.1,"room_id_hint":"x","members":2"#,
      #""peer-joined","t":0.2,"peer":"0\#(index)","name":"\#(other)""#,
      #""link","t":0.3,"peer":"0\#(index)","name":"\#(other)","path":"udp-direct","#
        + #""family":"v4","rtt_ms":0.2,"cipher":"AES""#,
      #""trust","t":0.3,"peer":"0\#(index)","name":"\#(other)","peer_id":"k","state":"new""#,
      #""first-frame","t":0.4,"peer":"0\#(index)","name":"\#(other)","since_join_ms":100"#,
      #""first-audio","t":0.4,"peer":"0\#(index)","name":"\#(other)","since_join_ms":100"#,
    ]
    for number in 0..<3 {
      let text = number == 0 ? "one from \(other)" : ["two", "three"][number - 1]
      lines += [
        #""chat","t":2,"peer":"0\#(index)","name":"\#(other)","id":"c\#(number)","text":"\#(text)""#,
        #""chat-sent","t":2,"id":"d\#(number)""#,
        #""chat-delivered","t":2,"peer":"0\#(index)","name":"\#(other)","id":"d\#(number)""#,
      ]
    }
    lines += (2..<11).map {
      #""stats","t":\#($0),"name":"\#(other)","recv":{"fps":30,"width":640,"height":480}"#
    }
    lines.append(#""left","t":11.9,"reason":"asked","exit_code":0"#)
    parties[index].events.lines = lines.map { EventLine("{\"v\":1,\"event\":\($0)}", at: end) }
  }
  for index in parties.indices {
    let sender = parties[1 - index]
    var view = PartyRecord.View(
      from: sender.name,
      seen: sender.sent.filter { $0.at > start + .milliseconds(150) }.map {
        SeenFrame(
          clock: PaintedClock(number: $0.number, at: $0.at), at: $0.at + .milliseconds(20),
          size: size)
      })
    view.quality = 36.2
    view.localQuality = 36.4
    parties[index].views = [view]
    var log = SoundLog()
    let tone = ToneSignal(voice: sender.voice)
    for block in 0..<1_200 {
      let at = start + .milliseconds(Int64(block) * 10)
      log.append(tone.samples(from: at, count: 480), at: at + .milliseconds(20))
    }
    parties[index].sound = log
  }
  return CallRecord(parties: parties, size: size, path: "udp-direct")

  func name(_ index: Int) -> String { names[index] }
}
