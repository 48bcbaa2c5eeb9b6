import Call
import CommandLine
import Foundation
import Rooms
import Simulation
import Testing
import Units

/// What a server gets to see of the calls that it serves, and what a call says about itself.
@Suite struct SecrecyTests {
  /// As it is, and as people and programs write bytes.
  private func forms(_ secret: [UInt8]) -> [Data] {
    let data = Data(secret)
    let hexadecimal = secret.map { String(format: "%02x", $0) }.joined()
    // Without its end, which depends on what follows.
    let base64 = String(data.base64EncodedString().replacing("=", with: "").dropLast())
    let texts = [
      hexadecimal, hexadecimal.uppercased(), base64,
      base64.replacing("+", with: "-").replacing("/", with: "_"),
      base32(secret, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
      base32(secret, "0123456789ABCDEFGHJKMNPQRSTVWXYZ"),
    ]
    return [data] + texts.map { Data($0.utf8) }
  }

  /// Whole symbols only: the last one would depend on what follows.
  private func base32(_ bytes: [UInt8], _ alphabet: String) -> String {
    let symbols = Array(alphabet)
    let bits = bytes.flatMap { byte in (0..<8).map { Int(byte) >> (7 - $0) & 1 } }
    return String(
      (0..<bits.count / 5).map { group in
        symbols[bits[group * 5..<group * 5 + 5].reduce(0) { $0 << 1 | $1 }]
      })
  }

  private func secrets(of call: SimulatedCall) -> [String: [Data]] {
    let (id, keys) = (call.room.id, call.room.keys)
    return [
      "S": forms(id.secret), "K_auth": forms(keys.authentication), "K_box": forms(keys.box),
      "K_room": forms(keys.charter), "the admission seed": forms(keys.admissionSeed),
      "the id": [id.text, id.text.replacing("-", with: "")].map { Data($0.utf8) },
    ]
  }

  private func call(seed: UInt64) throws -> SimulatedCall {
    var options = SimulatedMember.Options()
    options.sendsAudio = false
    options.sendsVideo = false
    let call = try SimulatedCall(seed: seed)
    call.server.keepsPlaintext = true
    for name in ["Canary-Anna", "Canary-Ben", "Canary-Cleo"] { call.add(name, options: options) }
    call.at(.seconds(2)) { call.chatter(every: .milliseconds(300), until: .zero + .seconds(3)) }
    call.run(for: .seconds(4))
    call.finish()
    #expect(call.chatLinesHeard == 2 * call.chatLinesSaid && call.chatLinesSaid > 5)
    return call
  }

  /// 34 calls of three: a hundred sessions.
  @Test(arguments: 1...34 as ClosedRange<UInt64>)
  func `S4: of the room's secret nothing reaches the server but what it needs`(
    seed: UInt64
  ) throws {
    let call = try call(seed: seed)
    let seen = Data(call.server.plaintext.joined())
    // What is looked for is found where it is.
    #expect(forms(call.room.keys.rid).contains { seen.range(of: $0) != nil })
    #expect(seen.range(of: Data(call.room.keys.admissionKey)) != nil)
    var secrets = secrets(of: call)
    secrets["a name"] = [Data("Canary".utf8)]
    secrets["chat"] = [Data(" says ".utf8)]
    for member in call.members {
      for address in member.host.addresses { secrets["\(address)"] = forms(address.bytes) }
      secrets["the link certificate of \(member.name)"] = forms(
        member.sessions.certificateKeyHash)
    }
    for (name, forms) in secrets {
      #expect(!forms.contains { seen.range(of: $0) != nil }, "\(name)")
    }
  }

  @Test func `S18: no event holds the room's id or a key made from it`() throws {
    let call = try call(seed: 1)
    let lines = call.members.flatMap { member in
      member.events.flatMap { [$0.event.json(at: .zero), $0.event.text ?? ""] }
    }
    let said = Data(lines.joined(separator: "\n").utf8)
    #expect(said.range(of: Data("Canary-Ben".utf8)) != nil)
    for (name, forms) in secrets(of: call) {
      #expect(!forms.contains { said.range(of: $0) != nil }, "\(name)")
    }
  }
}
