import Runtime
import Synchronization
import Testing
import Units

@Suite struct SerialThreadTests {
  @Test func `jobs run in order and all before the end`() throws {
    let thread = try SerialThread("jobs", capacity: 8)
    let seen = Mutex<[Int]>([])
    for number in 0..<100 { thread.postWaiting { seen.withLock { $0.append(number) } } }
    #expect(thread.finish())
    #expect(seen.withLock { $0 } == Array(0..<100))
  }

  @Test func `a job that hangs keeps nobody waiting`() throws {
    let thread = try SerialThread("jobs", capacity: 2)
    let gate = try WakeUp()
    let begun = try WakeUp()
    thread.post {
      begun.signal()
      gate.wait()
    }
    begun.wait()
    #expect(thread.post {})
    #expect(thread.post {})
    #expect(!thread.post {})
    #expect(!thread.finish(within: .milliseconds(20)))
    gate.signal()
  }
}
