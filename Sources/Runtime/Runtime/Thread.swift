import CLinux

/// A POSIX thread with a name. Its body is an ordinary `@Sendable` closure: a literal in
/// `main.swift` would be inferred `@MainActor` and die on another thread.
package struct Thread: Sendable {
  private let handle: pthread_t

  package enum Priority: Sendable {
    case normal
    /// Nicer to others: work that may wait, such as look-ups and recordings.
    case background
    /// Round-robin real-time where the user may (RLIMIT_RTPRIO), else as favoured as allowed:
    /// sound.
    case realTime
  }

  /// `name` is cut after 15 bytes, as the kernel wants.
  package static func start(
    _ name: String, priority: Priority = .normal, body: @escaping @Sendable () -> Void
  ) throws(SystemError) -> Thread {
    let work = Work {
      _ = clinux_name_thread(String(decoding: name.utf8.prefix(15), as: UTF8.self))
      switch priority {
      case .normal: break
      case .background: _ = clinux_nice_thread(10)
      case .realTime: if clinux_real_time_thread(5) != 0 { _ = clinux_nice_thread(-10) }
      }
      body()
    }
    let context = Unmanaged.passRetained(work)
    var handle = pthread_t()
    let code = pthread_create(&handle, nil, runWork, context.toOpaque())
    guard code == 0 else {
      context.release()
      throw SystemError("start thread \(name)", code: code)
    }
    return Thread(handle: handle)
  }

  /// Waits until the body has returned. A thread is either joined or detached, once.
  package func join() { pthread_join(handle, nil) }
  package func detach() { pthread_detach(handle) }
}

private final class Work: Sendable {
  let body: @Sendable () -> Void
  init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

private func runWork(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  if let context { Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body() }
  return nil
}
