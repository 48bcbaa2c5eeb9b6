import CLinux
import Judging
import Runtime
import Units

/// A rendezvous server of this computer, on a port that the system chose.
final class Rendezvous {
  let address: String
  let pin: String
  private let programs: Programs
  private let network: String?
  private let watched: Watched

  init(
    _ programs: Programs, in workspace: Workspace, listen: String = "127.0.0.1:0",
    folder: String = "server", network: String? = nil
  ) throws(BenchError) {
    self.programs = programs
    self.network = network
    let place = workspace.folder(folder)
    let command = try programs.command(
      "p2pcall-rendezvous",
      ["--listen", listen, "--state", "\(place)/rooms", "--events", "json"], in: network)
    watched = try Watched(command.program, command.arguments, name: "server", folder: place)
    guard let ready = watched.event("listening", within: .seconds(10)),
      let address = ready["address"]?.string, let pin = ready["pin"]?.string
    else { throw BenchError("the server did not start: \(watched.errors)") }
    self.address = address
    self.pin = pin
  }

  var process: Watched { watched }
  /// What a client is told about the server.
  var options: [String] { ["--server", address, "--server-pin", pin] }

  /// Ends it in order; its exit code.
  func stop() -> Int? {
    watched.send(signal: SIGTERM)
    return watched.exitCode(within: .seconds(10))
  }

  /// The id of a new room, as `room create` prints it.
  func createRoom(as user: String, in workspace: Workspace) throws(BenchError) -> String {
    let command = try programs.command("p2pcall", ["room", "create"] + options, in: network)
    let creator = try Watched(
      command.program, command.arguments, name: user, folder: workspace.folder(user))
    guard creator.exitCode(within: .seconds(10)) == 0, creator.output.count == 1 else {
      throw BenchError(
        "room create ended with \(creator.exitCode() ?? -1), \(creator.output.count) lines: "
          + creator.errors)
    }
    return creator.output[0].text
  }
}
