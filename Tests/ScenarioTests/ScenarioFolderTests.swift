import Foundation
import Simulating
import Simulation
import Testing
import Units

/// The files in `scenarios`, as they are given to people.
@Suite struct ScenarioFolderTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../scenarios").standardizedFileURL

  private static var names: [String] {
    get throws {
      try FileManager.default.contentsOfDirectory(atPath: folder.path)
        .filter { $0.hasSuffix(".json") }.sorted()
    }
  }

  private func scenario(_ name: String) throws -> Scenario {
    let bytes = Array(try Data(contentsOf: Self.folder.appending(path: name)))
    return try Scenario(parsing: bytes) { (_) throws(ScenarioProblem) in [] }
  }

  @Test func `every file is a scenario named like it, with a description`() throws {
    let names = try Self.names
    #expect(names.count >= 30)
    for name in names {
      let scenario = try scenario(name)
      #expect(scenario.name + ".json" == name)
      #expect(scenario.description.hasSuffix("."), "\(name)")
      #expect(scenario.flows.count { $0.isMedia } > 0, "\(name)")
    }
  }

  @Test func `every case of RFC 8867 from 5.1 to 5.8 is there`() throws {
    let names = try Self.names
    for number in 1...8 { #expect(names.contains("rfc8867-5.\(number).json")) }
    // §5.5: five flows of different delays that begin ten seconds apart.
    let flows = try scenario("rfc8867-5.5.json").flows
    #expect(flows.map(\.delay.milliseconds) == [10, 25, 50, 100, 150])
    #expect(flows.map { ($0.start - Instant.zero).seconds } == [0, 10, 20, 30, 40])
  }
}
