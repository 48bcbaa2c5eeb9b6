import Glibc

/// Counts what Swift allocates on the heap: objects, arrays, boxes and closures' contexts, by the hook
/// that the runtime has for instruments. Memory of C libraries is not among it.
enum Allocations {
  private typealias Allocate =
    @convention(c) (
      UnsafeRawPointer?, Int, Int
    ) -> UnsafeMutableRawPointer?

  private struct Hook: @unchecked Sendable {
    /// Where the runtime looks for the function, and whether it does.
    let function: UnsafeMutablePointer<Allocate>
    let isEnabled: UnsafeMutablePointer<Bool>
    let original: Allocate
    /// Of one thread only, so that tests beside this one do not count.
    let thread = UnsafeMutablePointer<pthread_t>.allocate(capacity: 1)
    let count = UnsafeMutablePointer<Int>.allocate(capacity: 1)
  }

  private static let hook: Hook? = {
    // RTLD_DEFAULT.
    guard let function = dlsym(nil, "_swift_allocObject"),
      let isEnabled = dlsym(
        nil, "_swift_enableSwizzlingOfAllocationAndRefCountingFunctions_forInstrumentsOnly")
    else { return nil }
    let place = function.assumingMemoryBound(to: Allocate.self)
    return Hook(
      function: place, isEnabled: isEnabled.assumingMemoryBound(to: Bool.self),
      original: place.pointee)
  }()

  /// How many there were on this thread while `body` ran; `nil` where the runtime has no hook. Not to
  /// be used by two at once.
  static func counted(during body: () -> Void) -> Int? {
    guard let hook else { return nil }
    hook.count.pointee = 0
    hook.thread.pointee = pthread_self()
    hook.function.pointee = { metadata, size, alignment in
      guard let hook = Allocations.hook else { return nil }
      if pthread_equal(hook.thread.pointee, pthread_self()) != 0 { hook.count.pointee += 1 }
      return hook.original(metadata, size, alignment)
    }
    hook.isEnabled.pointee = true
    body()
    hook.isEnabled.pointee = false
    hook.function.pointee = hook.original
    return hook.count.pointee
  }
}
