import CLinux
import Runtime
import Testing
import Units

@Suite struct EventLoopTests {
  @Test func `a turn sleeps until its deadline and not longer than it is told`() throws {
    let loop = try EventLoop()
    let deadline = Clock.now + .milliseconds(5)
    loop.turn(until: deadline)
    #expect(loop.now >= deadline)
    // A deadline in the past never sleeps: this would hang otherwise.
    loop.turn(until: .zero)
  }

  @Test func `an earlier deadline after a later one is kept`() throws {
    let loop = try EventLoop()
    let wakeUp = try WakeUp()
    let token = try loop.watch(wakeUp) {}
    wakeUp.signal()
    loop.turn(until: Clock.now + .seconds(3600))
    let soon = Clock.now + .milliseconds(2)
    loop.turn(until: soon)
    #expect(loop.now >= soon)
    loop.unwatch(token)
  }

  @Test func `a timer that has rung leaves a loop without a deadline asleep`() throws {
    let loop = try EventLoop()
    let wakeUp = try WakeUp()
    var isWoken = false
    let token = try loop.watch(wakeUp) { isWoken = true }
    loop.turn(until: Clock.now + .milliseconds(1))
    let thread = try Thread.start("waker") {
      usleep(20_000)
      wakeUp.signal()
    }
    loop.turn(until: nil)
    #expect(isWoken)
    thread.join()
    loop.unwatch(token)
  }

  @Test func `another thread wakes the loop and its values arrive in order`() throws {
    let loop = try EventLoop()
    let mailbox = OrderedMailbox<Int>(capacity: 1000, wakeUp: try WakeUp())
    var arrived: [Int] = []
    let token = try loop.watch(mailbox.wakeUp) { arrived += mailbox.takeAll() }
    let thread = try Thread.start("poster") { for n in 0..<500 { mailbox.post(n) } }
    while arrived.count < 500 { loop.turn(until: nil) }
    thread.join()
    loop.unwatch(token)
    #expect(arrived == Array(0..<500))
  }

  @Test func `what may wait wakes nobody and comes with what may not`() throws {
    let mailbox = OrderedMailbox<Int>(capacity: 3, wakeUp: try WakeUp())
    mailbox.post(1, wakes: false)
    #expect(!mailbox.wakeUp.wait(.zero))
    mailbox.post(2)
    #expect(mailbox.wakeUp.wait(.zero))
    var taken = [0]
    mailbox.takeAll(into: &taken)
    #expect(taken == [0, 1, 2])
    #expect(mailbox.count == 0)
    mailbox.post(3, wakes: false)
    var empty: [Int] = []
    mailbox.takeAll(into: &empty)
    #expect(empty == [3])
    #expect(mailbox.takeAll() == [])
  }

  @Test func `an event fetched before its watch was replaced does not reach the successor`() throws
  {
    let loop = try EventLoop()
    let first = try WakeUp()
    let second = try WakeUp()
    first.signal()
    second.signal()
    var called: [String] = []
    var tokens: [EventLoop.Token] = []
    // Whichever comes first takes the other away and puts an innocent watch into its slot.
    let innocent = try WakeUp()
    let replace = { (index: Int, name: String) in
      called.append(name)
      loop.unwatch(tokens[1 - index])
      tokens[1 - index] = try! loop.watch(innocent) { called.append("innocent") }
    }
    tokens.append(try loop.watch(first) { replace(0, "first") })
    tokens.append(try loop.watch(second) { replace(1, "second") })
    loop.turn(until: nil)
    #expect(called.count == 1)
    #expect(called != ["innocent"])
  }

  @Test func `a watch for nothing still hears that the other side has gone`() throws {
    let loop = try EventLoop()
    var ends: [Int32] = [-1, -1]
    #expect(clinux_pipe(&ends) == 0)
    var seen: Readiness = []
    let token = try loop.watch(ends[1], for: []) { seen = $0 }
    close(ends[0])
    loop.turn(until: nil)
    #expect(seen.isClosed)
    loop.unwatch(token)
    close(ends[1])
  }
}

@Suite struct MailboxTests {
  @Test func `a full ordered mailbox refuses and loses nothing it took`() throws {
    let mailbox = OrderedMailbox<Int>(capacity: 2, wakeUp: try WakeUp())
    #expect([1, 2, 3].map { mailbox.post($0) } == [true, true, false])
    #expect(mailbox.takeAll() == [1, 2])
    #expect(mailbox.post(4))
    #expect(mailbox.takeAll() == [4])
  }

  @Test func `a waiting thread is woken by a post and gives up when its time is over`() throws {
    let mailbox = OrderedMailbox<Int>(capacity: 1, wakeUp: try WakeUp())
    #expect(!mailbox.wakeUp.wait(.milliseconds(1)))
    let thread = try Thread.start("poster") { mailbox.post(7) }
    #expect(mailbox.wakeUp.wait())
    #expect(mailbox.takeAll() == [7])
    thread.join()
  }
}
