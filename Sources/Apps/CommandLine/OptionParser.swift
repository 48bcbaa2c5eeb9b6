/// Walks through the arguments of one command: `--key value`, `--key=value`, `-k value`, `-kvalue`,
/// bundled flags `-ab`, and `--`, after which everything is an operand. `-` alone is an operand.
struct OptionParser<Settings> {
  enum Step {
    case applied
    case help
    case version
  }

  let command: String
  let options: [CommandOption<Settings>]
  private var waiting: ArraySlice<String>
  private var onlyOperands = false
  private(set) var operands: [String] = []

  init(command: String, options: [CommandOption<Settings>], arguments: [String]) {
    self.command = command
    self.options = options
    waiting = arguments[...]
  }

  /// Takes the next argument (with its value); `nil` at the end.
  mutating func next(_ settings: inout Settings) throws(UsageError) -> Step? {
    guard let argument = waiting.popFirst() else { return nil }
    if onlyOperands || argument == "-" || !argument.hasPrefix("-") {
      operands.append(argument)
      return .applied
    }
    if argument == "--" {
      onlyOperands = true
      return .applied
    }
    return argument.hasPrefix("--")
      ? try long(argument.dropFirst(2), &settings) : try shorts(argument.dropFirst(), &settings)
  }

  private mutating func long(
    _ text: Substring, _ settings: inout Settings
  ) throws(UsageError) -> Step {
    let name = text.prefix { $0 != "=" }
    let value = name.endIndex == text.endIndex ? nil : String(text[name.endIndex...].dropFirst())
    guard let option = options.first(where: { $0.long == name }) else {
      throw unknown(
        "--\(name)", suggestion: suggestion(for: String(name), among: options.map(\.long)))
    }
    return try apply(option, typed: "--\(name)", value: value, &settings)
  }

  private mutating func shorts(
    _ text: Substring, _ settings: inout Settings
  ) throws(UsageError) -> Step {
    // `-name` was meant as `--name` more often than as flags or a value.
    if text.count > 1, let word = options.first(where: { $0.long == text })?.long {
      throw unknown("-\(text)", suggestion: word)
    }
    var rest = text
    while let letter = rest.popFirst() {
      guard let option = options.first(where: { $0.short == letter }) else {
        throw unknown("-\(letter)", suggestion: nil)
      }
      if case .value = option.action {
        let glued = rest.isEmpty ? nil : String(rest.first == "=" ? rest.dropFirst() : rest)
        return try apply(option, typed: "-\(letter)", value: glued, &settings)
      }
      let step = try apply(option, typed: "-\(letter)", value: nil, &settings)
      if case .applied = step { continue }
      return step
    }
    return .applied
  }

  private mutating func apply(
    _ option: CommandOption<Settings>, typed: String, value: String?, _ settings: inout Settings
  ) throws(UsageError) -> Step {
    if case .value(let name, let store) = option.action {
      let text = if let value { value } else { try following(typed, name) }
      do { try store(&settings, text) } catch { throw UsageError("\(typed) \(error)") }
      return .applied
    }
    guard value == nil else {
      throw UsageError("\(typed) takes no value; write it alone")
    }
    switch option.action {
    case .flag(let set):
      set(&settings)
      return .applied
    case .help: return .help
    case .version, .value: return .version
    }
  }

  private mutating func following(_ typed: String, _ name: String) throws(UsageError) -> String {
    guard let value = waiting.first, !value.hasPrefix("--") else {
      throw UsageError("\(typed) needs a value; write \(typed) \(name)")
    }
    waiting.removeFirst()
    return value
  }

  private func unknown(_ typed: String, suggestion: String?) -> UsageError {
    UsageError(
      "there is no option \(typed); "
        + (suggestion.map { "did you mean --\($0)?" } ?? "\(command) --help lists those there are"))
  }
}
