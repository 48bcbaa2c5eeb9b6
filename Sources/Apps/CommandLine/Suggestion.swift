/// The candidate that a mistyped word most probably meant: the nearest within two edits, or the
/// only one that the word begins.
func suggestion(for word: String, among candidates: [String]) -> String? {
  let begun = candidates.filter { $0.hasPrefix(word) }
  if word.count >= 2, begun.count == 1 { return begun[0] }
  let allowed = word.count <= 3 ? 1 : 2
  let ranked = candidates.map { (edits: edits(word, $0), name: $0) }
    .filter { $0.edits <= allowed }
    .min { $0.edits < $1.edits }
  return ranked?.name
}

/// Insertions, deletions, replacements and swaps of neighbours that turn one word into the other
/// (optimal string alignment).
private func edits(_ left: String, _ right: String) -> Int {
  let (a, b) = (Array(left), Array(right))
  var rows = [Array(0...b.count)]
  for i in 1..<(a.count + 1) {
    var row = [i]
    for j in 1..<(b.count + 1) {
      var best = min(
        rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
      if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
        best = min(best, rows[i - 2][j - 2] + 1)
      }
      row.append(best)
    }
    rows.append(row)
  }
  return rows[a.count][b.count]
}
