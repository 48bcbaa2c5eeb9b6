package import Rooms

/// Where `join` gets its room from.
package enum RoomArgument: Hashable, Sendable {
  /// Given as `ROOMID` or `ROOMID@host[:port]`.
  case address(RoomAddress)
  /// `-`: the first line of standard input.
  case standardInput
  /// Not given: asked for on the terminal.
  case prompt
}

extension RoomAddress {
  /// As it was typed, on the command line or wherever it was asked for; the sentence of a refusal
  /// names the wrong symbol and never shows the id.
  package init(typed text: String) throws(UsageError) {
    do { try self.init(text: text) } catch { throw UsageError(error.description) }
  }
}
