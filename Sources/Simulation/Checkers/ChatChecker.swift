/// Lines of chat from one member to another: each exactly once and in order, and told as delivered
/// only after they were.
package struct ChatChecker {
  private let name: String
  private let findings: Findings
  private var said: [(id: String, text: String)] = []
  private var heard = 0
  private var delivered = 0

  package init(_ name: String, findings: Findings) {
    self.name = name
    self.findings = findings
  }

  /// The sender's conference took this line while the other was there.
  package mutating func say(_ text: String, id: String) { said.append((id, text)) }

  package mutating func hear(_ text: String) {
    guard heard < said.count else {
      findings.report("chat", "\(name): heard \"\(text)\", which was not said")
      return
    }
    if said[heard].text != text {
      findings.report("chat", "\(name): heard \"\(text)\" instead of \"\(said[heard].text)\"")
    }
    heard += 1
  }

  package mutating func deliver(id: String) {
    guard delivered < said.count, said[delivered].id == id else {
      findings.report("chat", "\(name): line \(id) delivered out of turn")
      return
    }
    delivered += 1
    if delivered > heard {
      findings.report("chat", "\(name): line \(id) told as delivered before it was heard")
    }
  }

  /// At the end of a run in which everything should have arrived.
  package func finish() {
    if heard < said.count {
      findings.report("chat", "\(name): \(said.count - heard) of \(said.count) lines never came")
    }
    if delivered < heard {
      findings.report("chat", "\(name): \(heard - delivered) lines never told as delivered")
    }
  }

  package var isComplete: Bool { heard == said.count && delivered == heard }
  package var heardCount: Int { heard }
}
