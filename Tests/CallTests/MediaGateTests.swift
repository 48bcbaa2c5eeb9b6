import Testing

@testable import Call

@Suite struct MediaGateTests {
  @Test func `S8: of all 32 states the gate is open in exactly one`() {
    var open: [Int] = []
    for state in 0..<32 {
      var gate = MediaGate()
      gate.userJoined = state & 1 != 0
      gate.isProved = state & 2 != 0
      gate.isQuarantined = state & 4 == 0
      gate.isAdmitted = state & 8 != 0
      gate.isBanned = state & 16 != 0
      if gate.isOpen { open.append(state) }
    }
    #expect(open == [0b01111])
  }

  @Test func `S8: a new gate is shut`() {
    #expect(!MediaGate().isOpen)
  }
}
