import Encryption
import Rooms
import Testing
import Units
import Wire

/// A session's boxes by reference, for expectations that open them.
private final class Member {
  private var boxes: SealedBoxes
  init(_ boxes: SealedBoxes) { self.boxes = boxes }
  func seal(_ description: LinkDescription, for member: SessionID) -> [UInt8] {
    boxes.seal(description, for: member)
  }
  func open(
    _ sealed: [UInt8], from sender: SessionID, at now: Instant
  ) throws(BoxRefusal) -> LinkDescription { try boxes.open(sealed, from: sender, at: now) }
}

@Suite struct SealedBoxesTests {
  let suite = OpenSSLCipherSuite()
  let keys: RoomKeys
  let ann = SessionID(bytes: [UInt8](repeating: 1, count: 16))!
  let bob = SessionID(bytes: [UInt8](repeating: 2, count: 16))!
  let eve = SessionID(bytes: [UInt8](repeating: 3, count: 16))!

  init() throws {
    keys = try RoomKeys(
      RoomID.create(ownerKeyInfo: [1], nonce: [UInt8](repeating: 1, count: 32), with: suite),
      with: suite)
  }

  private func description(_ generation: UInt32, key: UInt8 = 9) -> LinkDescription {
    LinkDescription(
      certificateKeyHash: [UInt8](repeating: key, count: 32), generation: generation,
      userFragment: Array("abcd".utf8), password: Array("0123456789abcdefABCDEF".utf8),
      candidates: [])
  }

  @Test func `a box opens once, at its addressee, from its sender`() throws {
    let annBoxes = Member(SealedBoxes(keys, own: ann, with: suite))
    let bobBoxes = Member(SealedBoxes(keys, own: bob, with: suite))
    let box = annBoxes.seal(description(1), for: bob)
    #expect(throws: BoxRefusal.forged) { try bobBoxes.open(box, from: eve, at: .zero) }
    let eveBoxes = Member(SealedBoxes(keys, own: eve, with: suite))
    #expect(throws: BoxRefusal.forged) { try eveBoxes.open(box, from: ann, at: .zero) }
    #expect(throws: BoxRefusal.ownSession) { try annBoxes.open(box, from: ann, at: .zero) }
    #expect(try bobBoxes.open(box, from: ann, at: .zero) == description(1))
    #expect(throws: BoxRefusal.replayed(found: 1, highest: 1)) {
      try bobBoxes.open(box, from: ann, at: .zero)
    }
  }

  @Test func `an older box is refused after a newer one, and a lost one costs nothing`() throws {
    let annBoxes = Member(SealedBoxes(keys, own: ann, with: suite))
    let bobBoxes = Member(SealedBoxes(keys, own: bob, with: suite))
    let boxes = (1...3).map { annBoxes.seal(description($0), for: bob) }
    #expect(try bobBoxes.open(boxes[2], from: ann, at: .zero).generation == 3)
    #expect(throws: BoxRefusal.replayed(found: 2, highest: 3)) {
      try bobBoxes.open(boxes[1], from: ann, at: .zero)
    }
  }

  @Test func `another room's box is refused`() throws {
    let other = try RoomKeys(
      RoomID.create(ownerKeyInfo: [2], nonce: [UInt8](repeating: 1, count: 32), with: suite),
      with: suite)
    let annBoxes = Member(SealedBoxes(other, own: ann, with: suite))
    let bobBoxes = Member(SealedBoxes(keys, own: bob, with: suite))
    let box = annBoxes.seal(description(1), for: bob)
    #expect(throws: BoxRefusal.forged) { try bobBoxes.open(box, from: ann, at: .zero) }
  }

  @Test func `a session keeps its link certificate`() throws {
    let annBoxes = Member(SealedBoxes(keys, own: ann, with: suite))
    let bobBoxes = Member(SealedBoxes(keys, own: bob, with: suite))
    _ = try bobBoxes.open(annBoxes.seal(description(1), for: bob), from: ann, at: .zero)
    let second = annBoxes.seal(description(2, key: 8), for: bob)
    #expect(
      throws: BoxRefusal.secondFingerprint(
        expected: [UInt8](repeating: 9, count: 32), found: [UInt8](repeating: 8, count: 32))
    ) { try bobBoxes.open(second, from: ann, at: .zero) }
    let third = annBoxes.seal(description(3), for: bob)
    #expect(try bobBoxes.open(third, from: ann, at: .zero).generation == 3)
  }

  @Test func `more than eight boxes a second are dropped`() throws {
    let annBoxes = Member(SealedBoxes(keys, own: ann, with: suite))
    let bobBoxes = Member(SealedBoxes(keys, own: bob, with: suite))
    for round in 0..<8 {
      let box = annBoxes.seal(description(UInt32(round)), for: bob)
      _ = try bobBoxes.open(box, from: ann, at: .zero + .milliseconds(Int64(round)))
    }
    let ninth = annBoxes.seal(description(9), for: bob)
    #expect(throws: BoxRefusal.tooFrequent) {
      try bobBoxes.open(ninth, from: ann, at: .zero + .milliseconds(999))
    }
    let tenth = annBoxes.seal(description(10), for: bob)
    let later = Instant.zero + .milliseconds(1_000)
    #expect(try bobBoxes.open(tenth, from: ann, at: later).generation == 10)
  }

  @Test func `every altered bit and every cut is refused`() throws {
    let annBoxes = Member(SealedBoxes(keys, own: ann, with: suite))
    let box = annBoxes.seal(description(1), for: bob)
    let bobBoxes = Member(SealedBoxes(keys, own: bob, with: suite))
    for bit in 0..<box.count * 8 {
      var altered = box
      altered[bit / 8] ^= 1 << (bit % 8)
      #expect(throws: BoxRefusal.forged) { try bobBoxes.open(altered, from: ann, at: .zero) }
    }
    for count in 0..<box.count {
      #expect(throws: BoxRefusal.forged) {
        try bobBoxes.open(Array(box.prefix(count)), from: ann, at: .zero)
      }
    }
    #expect(try bobBoxes.open(box, from: ann, at: .zero) == description(1))
  }

  @Test func `whatever a server does to 10 000 boxes, only fresh ones from their sender open`() {
    var random = SeededRandom(seed: 5)
    let sessions = [ann, bob, eve]
    let boxes = sessions.map { Member(SealedBoxes(keys, own: $0, with: suite)) }
    struct Sent {
      var box: [UInt8]
      var from: Int
      var to: Int
      var number: UInt32
    }
    var sent: [Sent] = []
    var highest: [[UInt32]] = Array(repeating: [0, 0, 0], count: 3)
    var opened = 0
    for round in 0..<10_000 {
      let now = Instant.zero + .seconds(Double(round))
      if sent.isEmpty || random.chance(0.5) {
        let from = Int(random.next() % 3)
        let to = (from + 1 + Int(random.next() % 2)) % 3
        let number = UInt32(sent.count + 1)
        let text = description(number, key: UInt8(from))
        sent.append(
          Sent(
            box: boxes[from].seal(text, for: sessions[to]), from: from, to: to, number: number))
      }
      // Deliver any box so far to anyone as anyone's, sometimes altered.
      let chosen = sent[Int(random.next() % UInt64(sent.count))]
      let isHonest = random.chance(0.6)
      let to = isHonest ? chosen.to : Int(random.next() % 3)
      let from = isHonest ? chosen.from : Int(random.next() % 3)
      var box = chosen.box
      let isAltered = random.chance(0.1)
      if isAltered { box[Int(random.next() % UInt64(box.count))] ^= 1 }
      let result = try? boxes[to].open(box, from: sessions[from], at: now)
      let isRight =
        to == chosen.to && from == chosen.from && !isAltered
        && chosen.number > highest[from][to]
      #expect((result != nil) == isRight)
      if let result {
        #expect(result.generation == chosen.number)
        highest[from][to] = chosen.number
        opened += 1
      }
    }
    #expect(opened > 100)
  }
}
