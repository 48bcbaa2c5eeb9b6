import CLinux
import Media

/// Starts a detached thread; `name` has at most 15 bytes.
func startThread(_ name: String, _ body: @escaping @Sendable () -> Void) throws(MediaError) {
  let work = Unmanaged.passRetained(ThreadWork(name, body))
  var thread = pthread_t()
  guard pthread_create(&thread, nil, runThread, work.toOpaque()) == 0 else {
    work.release()
    throw MediaError(
      .failed, "no thread could be started", remedy: "raise the limit of processes (ulimit -u)")
  }
  pthread_detach(thread)
}

private final class ThreadWork: Sendable {
  let name: String
  let body: @Sendable () -> Void
  init(_ name: String, _ body: @escaping @Sendable () -> Void) {
    self.name = name
    self.body = body
  }
}

private func runThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  guard let context else { return nil }
  let work = Unmanaged<ThreadWork>.fromOpaque(context).takeRetainedValue()
  _ = clinux_name_thread(work.name)
  work.body()
  return nil
}
