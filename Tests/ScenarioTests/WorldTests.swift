import Simulation
import Testing
import Units

@Suite struct WorldTests {
  @Test func `what is scheduled happens in order of time, and of insertion at one time`() {
    let world = World(seed: 1)
    var happened: [Int] = []
    world.schedule(after: .milliseconds(5)) { happened.append(3) }
    world.schedule(after: .milliseconds(2)) { happened.append(1) }
    world.schedule(after: .milliseconds(2)) { happened.append(2) }
    world.schedule(after: .milliseconds(9)) { happened.append(4) }
    world.run(for: .milliseconds(5))
    #expect(happened == [1, 2, 3])
    #expect(world.now == .zero + .milliseconds(5))
  }

  @Test func `a thousand things in random order come out sorted`() {
    let world = World(seed: 2)
    var random = world.split()
    var happened: [Instant] = []
    for _ in 0..<1_000 {
      let at = Instant(nanoseconds: Int64(random.next() % 500))
      world.schedule(at: at) { happened.append(world.now) }
    }
    world.run(for: .milliseconds(1))
    #expect(happened.count == 1_000)
    #expect(zip(happened, happened.dropFirst()).allSatisfy { $0 <= $1 })
  }

  @Test func `what is scheduled for the past happens now`() {
    let world = World(seed: 3)
    world.run(for: .seconds(1))
    var at: Instant?
    world.schedule(at: .zero) { at = world.now }
    world.run(for: .seconds(1))
    #expect(at == .zero + .seconds(1))
  }

  @Test func `a repetition ends when it says so`() {
    let world = World(seed: 4)
    var count = 0
    world.repeat(every: .milliseconds(10)) {
      count += 1
      return count < 5
    }
    world.run(for: .seconds(1))
    #expect(count == 5)
    #expect(world.pending == 0)
  }

  @Test func `the trace depends on what happened, when, and in which order`() {
    func trace(_ fill: (inout TraceHash) -> Void) -> UInt64 {
      var trace = TraceHash()
      fill(&trace)
      return trace.value
    }
    let first = trace {
      $0.add("a", at: .zero)
      $0.add("b", at: .zero)
    }
    #expect(
      first
        == trace {
          $0.add("a", at: .zero)
          $0.add("b", at: .zero)
        })
    #expect(
      first
        != trace {
          $0.add("b", at: .zero)
          $0.add("a", at: .zero)
        })
    #expect(
      first
        != trace {
          $0.add("a", at: .zero)
          $0.add("b", at: Instant(nanoseconds: 1))
        })
  }

  @Test(arguments: [-100.0, 0, 20, 500])
  func `a clock with its own epoch and speed converts there and back`(speed: Double) {
    let clock = SimulatedClock(epoch: .seconds(12_345), partsPerMillion: speed)
    var random = SeededRandom(seed: 5)
    for _ in 0..<1_000 {
      let local = clock.local(Instant(nanoseconds: Int64(random.next() % 90_000_000_000_000)))
      let world = clock.world(local)
      #expect(clock.local(world) >= local)
      #expect((clock.local(world) - local).nanoseconds <= 2)
    }
    let hour = clock.local(.zero + .seconds(3_600)) - clock.local(.zero)
    #expect(abs(hour.seconds - 3_600 * (1 + speed * 1e-6)) < 1e-6)
  }
}
