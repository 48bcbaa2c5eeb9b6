/// What the key of a proved member says about him.
package enum Acquaintance: Hashable, Sendable {
  /// A pinned key, under its pinned name.
  case known(name: String, isVerified: Bool)
  /// A key never seen; the name is its claim, with the key where another member has that name.
  case new(name: String)
  /// An unknown key that claims the name of a pinned one, whose holder is not here: quarantined.
  case changed(name: String, pinned: KeyFingerprint)
  /// Another session of this very identity; never pinned.
  case oneself(name: String)
}

package enum KnownPeersError: Error, Hashable, Sendable, CustomStringConvertible {
  case unknownKey(KeyFingerprint)
  case nameTaken(String, by: KeyFingerprint)
  case ownKey

  package var description: String {
    switch self {
    case .unknownKey(let key):
      "no one with the key \(key) was ever met; `p2pcall peers` lists those who were"
    case .nameTaken(let name, let key): "“\(name)” is the name of \(key) already; choose another"
    case .ownKey: "that is this computer's own key"
    }
  }
}

/// The keys that this user has met, by PeerID: docs/protocol.md "Who is it?".
///
/// A value; Files keeps `text` in the file `known_peers`.
package struct KnownPeers: Hashable, Sendable {
  package enum Standing: String, Hashable, Sendable {
    /// Seen and proved.
    case pinned
    /// Pinned, and its user's word taken for the check words.
    case verified
    /// Came under the name of a pinned key; waits for `trust`.
    case changed
  }

  package struct Entry: Hashable, Sendable {
    package let key: KeyFingerprint
    package var name: String
    package var standing: Standing

    package init(key: KeyFingerprint, name: String, standing: Standing) {
      self.key = key
      self.name = name
      self.standing = standing
    }
  }

  /// This computer's own PeerID, which never gets an entry.
  package let own: KeyFingerprint
  /// Ordered by key.
  package private(set) var entries: [Entry] = []
  /// Lines of the file that could not be read: kept for the user to correct.
  private var unreadable: [String] = []

  package init(own: KeyFingerprint) { self.own = own }

  package subscript(key: KeyFingerprint) -> Entry? { entries.first { $0.key == key } }

  // MARK: In a call

  /// Who a proved member is. `proved` are the PeerIDs of all others that are proved in this call.
  package func acquaintance(
    of key: KeyFingerprint, claiming claimed: String, proved: [KeyFingerprint],
    folding: some TextFolding
  ) -> Acquaintance {
    let name = NeutralText.name(claimed)
    if key == own { return .oneself(name: name) }
    if let entry = self[key], entry.standing != .changed {
      return .known(name: entry.name, isVerified: entry.standing == .verified)
    }
    let folded = folding.folded(name)
    let holders = entries.filter {
      $0.standing != .changed && $0.key != key && folding.folded($0.name) == folded
    }
    guard let first = holders.first else { return .new(name: name) }
    if holders.contains(where: { proved.contains($0.key) }) {
      return .new(name: Self.name(name, with: key))
    }
    return .changed(name: name, pinned: first.key)
  }

  /// Remembers what was found: a new key is pinned, a changed one noted for `trust`. Returns what
  /// there is to store, if anything.
  package mutating func record(
    _ acquaintance: Acquaintance, of key: KeyFingerprint
  ) -> Entry? {
    let isNews =
      switch acquaintance {
      case .known, .oneself: false
      case .new(let name): set(Entry(key: key, name: name, standing: .pinned))
      case .changed(let name, _): set(Entry(key: key, name: name, standing: .changed))
      }
    return isNews ? self[key] : nil
  }

  /// Takes over what a call has found into what other calls and the user have stored meanwhile:
  /// a key that is pinned there stays as it is.
  package mutating func merge(_ found: Entry) {
    if let stored = self[found.key], stored.standing != .changed { return }
    _ = set(found)
  }

  /// After the local user confirmed the check words.
  package mutating func verify(_ key: KeyFingerprint) throws(KnownPeersError) {
    try change(key) { $0.standing = .verified }
  }

  // MARK: By the user

  /// Pins a key that was quarantined, or one named in advance. The other holder of its name keeps
  /// his pin: both may be the same person's.
  package mutating func trust(
    _ key: KeyFingerprint, name: String? = nil
  ) throws(KnownPeersError) {
    guard key != own else { throw .ownKey }
    if let name {
      _ = set(Entry(key: key, name: name, standing: .pinned))
      return
    }
    try change(key) { if $0.standing == .changed { $0.standing = .pinned } }
  }

  package mutating func rename(
    _ key: KeyFingerprint, to name: String, folding: some TextFolding
  ) throws(KnownPeersError) {
    let name = NeutralText.name(name)
    let folded = folding.folded(name)
    let holder = entries.first { $0.key != key && folding.folded($0.name) == folded }
    if let holder { throw .nameTaken(name, by: holder.key) }
    try change(key) { $0.name = name }
  }

  package mutating func forget(_ key: KeyFingerprint) throws(KnownPeersError) {
    guard let index = entries.firstIndex(where: { $0.key == key }) else {
      throw .unknownKey(key)
    }
    entries.remove(at: index)
  }

  // MARK: Entries

  private mutating func set(_ entry: Entry) -> Bool {
    var entry = entry
    entry.name = NeutralText.name(entry.name)
    guard entry.key != own, self[entry.key] != entry else { return false }
    entries.removeAll { $0.key == entry.key }
    let index = entries.firstIndex { entry.key < $0.key } ?? entries.endIndex
    entries.insert(entry, at: index)
    return true
  }

  private mutating func change(
    _ key: KeyFingerprint, _ body: (inout Entry) -> Void
  ) throws(KnownPeersError) {
    guard let index = entries.firstIndex(where: { $0.key == key }) else {
      throw .unknownKey(key)
    }
    body(&entries[index])
  }

  /// Two people of one name are told apart by key.
  private static func name(_ name: String, with key: KeyFingerprint) -> String {
    // The key must survive the cut of long names.
    "\(name.prefix(NeutralText.nameLimit - 11)) (\(key.short))"
  }
}

extension KnownPeers {
  /// One line a peer, ordered by key: `sha256:… standing name`. A name has no line breaks.
  package var text: String {
    "# p2pcall: people met, by key. `p2pcall peers` shows and changes this.\n"
      + entries.map { "\($0.key) \($0.standing.rawValue) \($0.name)\n" }.joined()
      + unreadable.map { "\($0)\n" }.joined()
  }

  /// Reads `text`. Lines that are not of that form are left out and counted from 1 in `refused`,
  /// so that the caller can say which; their pins are then not in force.
  package init(own: KeyFingerprint, text: String, refused: inout [Int]) {
    self.init(own: own)
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      if line.isEmpty || line.first == "#" { continue }
      let parts = line.split(separator: " ", maxSplits: 2)
      guard parts.count == 3, let key = KeyFingerprint(text: String(parts[0])),
        let standing = Standing(rawValue: String(parts[1])), key != own
      else {
        refused.append(number + 1)
        unreadable.append(String(line))
        continue
      }
      _ = set(Entry(key: key, name: String(parts[2]), standing: standing))
    }
  }
}
