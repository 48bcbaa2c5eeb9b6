import CLinux
import Judging
import Runtime
import Units

/// A5: the measurements meet their limits, and the papers are there.
struct AcceptA5 {
  let programs: Programs
  let seconds: Int

  func run() throws(BenchError) -> Report {
    var report = Report("accept A5")
    let measurements = Measurements(programs: programs, seconds: seconds)
    for transport in ["udp", "tcp"] {
      report.add("B1 \(transport)", try measurements.delay(transport: transport))
      report.add("B3 \(transport)", try measurements.firstPicture(transport: transport))
    }
    report.add("B10", try measurements.processorTime())
    report.add("B11", try measurements.memory())
    report.add("papers", try papers())
    return report
  }

  private func papers() throws(BenchError) -> [Criterion] {
    let top = try repository(of: programs)
    let wanted = [
      "README.md", "ARCHITECTURE.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md",
      "docs/protocol.md", "docs/wire-format.md", "docs/benchmarks.md", "certs/README.md",
    ]
    return wanted.map { name in
      let text = fileText("\(top)/\(name)")
      return Criterion(
        name, limit: "≥ 200 characters", seen: "\(text.count)", isMet: text.count >= 200)
    }
  }
}

/// The folder above the programs that holds Package.swift.
func repository(of programs: Programs) throws(BenchError) -> String {
  var folder = programs.folder
  while !folder.isEmpty {
    if access("\(folder)/Package.swift", R_OK) == 0 { return folder }
    folder = String(folder[..<(folder.lastIndex(of: "/") ?? folder.startIndex)])
  }
  throw BenchError("the programs lie in no clone of the repository, so its files are not found")
}
