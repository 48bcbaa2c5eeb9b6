/// One line of a command's option table: parser and help both read it, so they cannot disagree.
package struct CommandOption<Settings>: Sendable {
  package enum Action: Sendable {
    case flag(@Sendable (inout Settings) -> Void)
    /// The value's name in help, and what takes it; the thrown sentence goes on after the
    /// option's name: "--fps " + "must be …".
    case value(String, @Sendable (inout Settings, String) throws(UsageError) -> Void)
    case help
    case version
  }

  /// Without the leading hyphens.
  package let long: String
  package let short: Character?
  /// For help: what it means, one sentence without a full stop.
  package let meaning: String
  package let action: Action

  package init(_ long: String, short: Character? = nil, _ meaning: String, _ action: Action) {
    self.long = long
    self.short = short
    self.meaning = meaning
    self.action = action
  }

  /// An option whose value is stored, parsed by `parse`.
  package static func stored<Value>(
    _ long: String, short: Character? = nil, _ valueName: String, _ meaning: String,
    _ path: any WritableKeyPath<Settings, Value> & Sendable,
    _ parse: @escaping @Sendable (String) throws(UsageError) -> Value
  ) -> CommandOption {
    CommandOption(
      long, short: short, meaning,
      .value(valueName) { (settings, text) throws(UsageError) in
        settings[keyPath: path] = try parse(text)
      })
  }

  package static var standard: [CommandOption] {
    [
      CommandOption("help", short: "h", "show this help", .help),
      CommandOption("version", "show the version", .version),
    ]
  }

  /// `-n, --name NAME`
  var usage: String {
    let names = (short.map { "-\($0), " } ?? "    ") + "--\(long)"
    if case .value(let name, _) = action { return "\(names) \(name)" }
    return names
  }
}

/// A command: what it is called, what it takes, and how its arguments become `Result`.
package struct CommandTable<Settings, Result>: Sendable {
  /// As it is typed: `p2pcall join`.
  package let name: String
  /// `[ROOMID|-]`, or empty.
  package let operands: String
  package let meaning: String
  /// Paragraphs below the options.
  package let notes: [String]
  package let options: [CommandOption<Settings>]
  let defaults: @Sendable () -> Settings
  /// Checks what no single option can, and makes the result.
  let finish: @Sendable (Settings, [String]) throws(UsageError) -> Result

  package init(
    _ name: String, operands: String = "", _ meaning: String, notes: [String] = [],
    options: [CommandOption<Settings>], defaults: @escaping @Sendable () -> Settings,
    finish: @escaping @Sendable (Settings, [String]) throws(UsageError) -> Result
  ) {
    self.name = name
    self.operands = operands
    self.meaning = meaning
    self.notes = notes
    self.options = options + CommandOption.standard
    self.defaults = defaults
    self.finish = finish
  }

  package func parse(_ arguments: [String]) throws(UsageError) -> Parsed<Result> {
    var parser = OptionParser(command: name, options: options, arguments: arguments)
    var settings = defaults()
    while let step = try parser.next(&settings) {
      switch step {
      case .help: return .help(help)
      case .version: return .version
      case .applied: continue
      }
    }
    return .result(try finish(settings, parser.operands))
  }
}

/// What arguments amount to.
package enum Parsed<Result> {
  case result(Result)
  /// Text for standard output.
  case help(String)
  case version

  package func map<Other>(_ change: (Result) -> Other) -> Parsed<Other> {
    switch self {
    case .result(let result): .result(change(result))
    case .help(let text): .help(text)
    case .version: .version
    }
  }
}

extension Parsed: Sendable where Result: Sendable {}
