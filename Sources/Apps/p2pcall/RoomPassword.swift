import CLinux
import CommandLine
import Encryption
import Rooms
import Runtime

/// The password of a room that is to be entered; `nil` where it has none.
func password(of room: RoomID, file: String?) throws -> String? {
  guard room.flags.contains(.password) else {
    if file == nil { return nil }
    throw UsageError("this room has no password; leave out --password-file, or check the room id")
  }
  return try file.map(passwordInFile) ?? askedPassword("Password of the room: ")
}

/// The password that a new room gets; `nil` for none.
func newPassword(_ choice: PasswordChoice) throws -> String? {
  switch choice {
  case .none: return nil
  case .file(let path): return try passwordInFile(path)
  case .prompt:
    let typed = try askedPassword("Password for the room: ")
    guard try askedPassword("The same again: ") == typed else {
      throw UsageError("the two passwords differ; no room was made, write the command again")
    }
    return typed
  }
}

/// The first line of a file of the user's own.
private func passwordInFile(_ path: String) throws -> String {
  let bytes = try named(path, isSecret: true)
  let line = bytes.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
  guard let password = String(validating: line, as: UTF8.self) else {
    throw UsageError("the first line of \(path) is no text in UTF-8; write the password into it")
  }
  guard !password.isEmpty else {
    throw UsageError("the first line of \(path) is empty; write the password into it")
  }
  return password
}

private func askedPassword(_ question: String) throws -> String {
  guard let terminal = Terminal() else {
    throw UsageError(
      "the room has a password and there is no terminal to ask on; give it with --password-file")
  }
  let signals = try Signals()
  let answer = withExtendedLifetime(signals) {
    terminal.ask(question, isHidden: true, unless: signals.fileDescriptor)
  }
  switch answer {
  case .line(let line) where !line.isEmpty: return line
  case .line, .none: throw UsageError("no password was typed; write the command again")
  case .interrupted: throw Failure(.interrupted, "interrupted before a password was typed")
  }
}

/// The room's keys, as a command says what was wrong.
func roomKeys(_ room: RoomID, password: String?) throws -> RoomKeys {
  do {
    return try RoomKeys(
      room, password: password, folding: UnistringFolding(), with: OpenSSLCipherSuite())
  } catch {
    throw Failure(error == .outOfMemory ? .internalError : .usage, error.description)
  }
}
