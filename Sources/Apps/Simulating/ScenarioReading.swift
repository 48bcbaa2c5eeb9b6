package import CommandLine
import Files
package import Simulation

extension Scenario {
  /// Of a file and of the traces beside it.
  package init(readingFrom path: String) throws(UsageError) {
    let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    do throws(FileProblem) {
      let bytes = try readFile(path)
      do throws(ScenarioProblem) {
        try self.init(parsing: bytes) { (name) throws(ScenarioProblem) in
          let beside = (folder + [Substring(name)]).joined(separator: "/")
          do { return try readFile(name.hasPrefix("/") ? name : beside, limit: 32 << 20) } catch {
            throw ScenarioProblem("\(error)")
          }
        }
      } catch {
        throw FileProblem("\(path): \(error)")
      }
    } catch {
      throw UsageError("\(error)")
    }
  }
}
