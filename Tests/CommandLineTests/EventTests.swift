import Call
import CommandLine
import Links
import Testing
import Units
import Wire

private let ann = PeerLabel(peer: "00ff", name: "Ann")

private var statistics: CallStatistics {
  var statistics = CallStatistics()
  statistics.roundTrip = .microseconds(1_250)
  statistics.path = .udpDirect
  statistics.send.rate = .kilobits(1500)
  statistics.send.target = .kilobits(1600)
  statistics.send.video = .kilobits(1440)
  statistics.send.audio = .kilobits(32)
  statistics.send.repair = .kilobits(28)
  statistics.send.framesPerSecond = 29.97
  statistics.send.encoderSpeed = -8
  statistics.send.width = 1280
  statistics.send.height = 720
  statistics.receive.jitter = .milliseconds(2)
  statistics.receive.audioVideoSkew = .milliseconds(-3)
  statistics.cpuPercent = .nan
  statistics.residentMegabytes = 51.25
  return statistics
}

private var attempts: AttemptReport {
  var report = AttemptReport()
  report.isDescribed = true
  report.ways = [
    Attempt(
      carrier: .datagram, local: SocketAddress(.v4(192, 0, 2, 5), port: 50_000), isFromRelay: true,
      remote: SocketAddress(.v4(203, 0, 113, 9), port: 4_000), remoteKind: .serverReflexive,
      end: .refusedByRelay(code: 403)),
    Attempt(
      carrier: .stream, local: nil, isFromRelay: false,
      remote: SocketAddress(.v4(10, 2, 0, 2), port: 5_000), remoteKind: .host,
      end: .handshakeFailed(.proof)),
  ]
  report.omitted = 3
  report.relays = [
    RelayAttempt(
      server: RelayServer(.udp, SocketAddress(.v4(192, 0, 2, 5), port: 3_478)),
      end: .failed(.credentialRefused))
  ]
  report.isSeenOverUDP = false
  return report
}

@Suite struct EventTests {
  @Test func `what was tried in vain is an event with every address, and no line of text`() {
    let event = CallEvent.noPath(ann, attempts)
    #expect(event.text == nil)
    #expect(
      event.json(at: .seconds(1.5)) == #"{"v":1,"event":"no-path","t":1.5,"peer":"00ff","#
        + #""name":"Ann","described":true,"tried":[{"carrier":"udp","local":"192.0.2.5:50000","#
        + #""from_relay":true,"remote":"203.0.113.9:4000","remote_kind":"server-reflexive","#
        + #""result":"refused-by-relay","code":403},{"carrier":"tcp","local":"","#
        + #""from_relay":false,"remote":"10.2.0.2:5000","remote_kind":"host","#
        + #""result":"handshake-proof"}],"omitted":3,"relays":[{"carrier":"udp","#
        + #""address":"192.0.2.5:3478","result":"failed","message":"#
        + #""the relay refuses the password, or its time is over (401)"}],"udp_answered":"no","#
        + #""transport":"auto","ways":"all","own_ipv6":false,"their_ipv6":false}"#)
  }

  @Test(
    arguments: [
      (
        .room(hint: "ABCD", members: 2),
        #"{"v":1,"event":"room","t":1.5,"room_id_hint":"ABCD","members":2}"#
      ),
      (.peerJoined(ann), #"{"v":1,"event":"peer-joined","t":1.5,"peer":"00ff","name":"Ann"}"#),
      (
        .link(
          ann,
          LinkReport(
            path: .tcpDirect, family: "v6", roundTrip: .microseconds(333), cipher: "X")),
        #"{"v":1,"event":"link","t":1.5,"peer":"00ff","name":"Ann","path":"tcp-direct","#
          + #""family":"v6","rtt_ms":0.333,"cipher":"X"}"#
      ),
      (
        .link(ann, LinkReport(path: .reconnecting, family: "", roundTrip: nil, cipher: "")),
        #"{"v":1,"event":"link","t":1.5,"peer":"00ff","name":"Ann","path":"reconnecting","#
          + #""family":"","rtt_ms":null,"cipher":""}"#
      ),
      (
        .trust(ann, peerID: "ab", .changed),
        #"{"v":1,"event":"trust","t":1.5,"peer":"00ff","name":"Ann","peer_id":"ab","#
          + #""state":"changed"}"#
      ),
      (
        .firstFrame(ann, since: .milliseconds(80), width: 640, height: 360),
        #"{"v":1,"event":"first-frame","t":1.5,"peer":"00ff","name":"Ann","since_join_ms":80,"#
          + #""width":640,"height":360}"#
      ),
      (
        .firstAudio(ann, since: .milliseconds(81)),
        #"{"v":1,"event":"first-audio","t":1.5,"peer":"00ff","name":"Ann","since_join_ms":81}"#
      ),
      (
        .chat(ann, id: "1", text: "a\"\\\n\u{1B}\u{85}ö"),
        #"{"v":1,"event":"chat","t":1.5,"peer":"00ff","name":"Ann","id":"1","#
          + #""text":"a\"\\\n\u001b\u0085ö"}"#
      ),
      (.chatSent(id: "2", text: "hi"), #"{"v":1,"event":"chat-sent","t":1.5,"id":"2"}"#),
      (
        .chatDelivered(id: "2", to: ann),
        #"{"v":1,"event":"chat-delivered","t":1.5,"peer":"00ff","name":"Ann","id":"2","#
          + #""to":"00ff"}"#
      ),
      (
        .recording(ann, isOn: true),
        #"{"v":1,"event":"recording","t":1.5,"peer":"00ff","name":"Ann","by":"00ff","on":true}"#
      ),
      (
        .device(kind: "camera", name: "C", state: "gone"),
        #"{"v":1,"event":"device","t":1.5,"kind":"camera","name":"C","state":"gone"}"#
      ),
      (
        .peerLeft(ann, reason: "left"),
        #"{"v":1,"event":"peer-left","t":1.5,"peer":"00ff","name":"Ann","reason":"left"}"#
      ),
      (
        .failure(code: 3, message: "m", remedy: "r"),
        #"{"v":1,"event":"error","t":1.5,"code":3,"message":"m","remedy":"r"}"#
      ),
      (
        .left(reason: "asked", exitCode: 0),
        #"{"v":1,"event":"left","t":1.5,"reason":"asked","exit_code":0}"#
      ),
      (
        .stats(ann, statistics),
        #"{"v":1,"event":"stats","t":1.5,"peer":"00ff","name":"Ann","rtt_ms":1.25,"#
          + #""path":"udp-direct","send":{"kbps":1500,"target_kbps":1600,"video_kbps":1440,"#
          + #""audio_kbps":32,"repair_kbps":28,"fps":29.97,"width":1280,"height":720,"#
          + #""encoder_speed":-8},"recv":{"#
          + #""kbps":0,"fps":0,"width":0,"height":0,"loss_percent":0,"jitter_ms":2,"freezes":0,"#
          + #""freeze_ms":0,"concealed_percent":0,"av_skew_ms":-3},"cpu_percent":null,"#
          + #""rss_mb":51.25}"#
      ),
    ] as [(CallEvent, String)])
  func `events are written as the vocabulary says`(event: CallEvent, line: String) {
    #expect(event.json(at: .milliseconds(1500)) == line)
  }

  @Test func `what peers say cannot steer the terminal`() throws {
    let rogue = PeerLabel(peer: "01", name: "\u{1B}]0;x\u{7}\u{202E}")
    let texts = [
      CallEvent.chat(rogue, id: "1", text: "\u{1B}[2J\r\u{9B}31m").text,
      CallEvent.peerLeft(rogue, reason: "\u{1B}c").text,
    ]
    for text in texts {
      let lines = try #require(text).split(separator: "\n")
      for line in lines { #expect(!line.unicodeScalars.contains { $0.isTerminalControl }) }
      #expect(lines.dropFirst().allSatisfy { $0.hasPrefix("    ") }, "no line of somebody else's")
    }
  }

  @Test func `people read about links, trust and chat in words`() {
    let link = LinkReport(path: .udpDirect, family: "v4", roundTrip: .milliseconds(2), cipher: "")
    #expect(
      CallEvent.link(ann, link).text
        == "* connected to Ann directly over UDP, 2 ms there and back")
    #expect(CallEvent.chat(ann, id: "1", text: "hello").text == "Ann: hello")
    #expect(CallEvent.device(kind: "speaker", name: "S", state: "ended").text == nil)
    #expect(
      CallEvent.device(kind: "speaker", name: "S", state: "back").text == "* the speaker S is back")
    #expect(CallEvent.chatDelivered(id: "1", to: ann).text == "* \u{2713} delivered to Ann")
    #expect(CallEvent.trust(ann, peerID: "f00", .changed).text?.contains("trust f00") == true)
    #expect(CallEvent.stats(ann, statistics).text == nil)
    #expect(PeerLabel(peer: "0123456789", name: "").shown == "peer 01234567")
  }
}
