/// Where the people's tiles go: as large as possible, all of one size, never overlapping.
package struct TileLayout: Hashable, Sendable {
  package var tiles: [Rect]

  /// Tiles grow no wider than 16:9 and no taller than 4:3 (a single one fills the area): cameras
  /// are between these, so that little of a tile is left empty.
  package init(count: Int, in area: Rect, gap: Int) {
    guard count > 0, !area.isEmpty else {
      tiles = []
      return
    }
    guard count > 1 else {
      tiles = [area]
      return
    }
    var best = Extent(width: 0, height: 0)
    var bestColumns = 1
    for columns in 1...count {
      let rows = (count + columns - 1) / columns
      let cell = Extent(
        width: (area.width - gap * (columns - 1)) / columns,
        height: (area.height - gap * (rows - 1)) / rows)
      guard cell.width > 0, cell.height > 0 else { continue }
      let tile = Self.shaped(cell)
      if tile.width * tile.height > best.width * best.height {
        best = tile
        bestColumns = columns
      }
    }
    tiles = Self.grid(count, columns: bestColumns, of: best, in: area, gap: gap)
  }

  private static func shaped(_ cell: Extent) -> Extent {
    if cell.width * 9 > cell.height * 16 {
      return Extent(width: cell.height * 16 / 9, height: cell.height)
    }
    if cell.width * 3 < cell.height * 4 {
      return Extent(width: cell.width, height: cell.width * 3 / 4)
    }
    return cell
  }

  /// Rows and the grid as a whole are centred; the last row may have fewer tiles.
  private static func grid(
    _ count: Int, columns: Int, of tile: Extent, in area: Rect, gap: Int
  ) -> [Rect] {
    let rows = (count + columns - 1) / columns
    let height = rows * tile.height + (rows - 1) * gap
    let top = area.y + (area.height - height) / 2
    return (0..<count).map { index in
      let row = index / columns
      let inRow = min(columns, count - row * columns)
      let left = area.x + (area.width - (inRow * tile.width + (inRow - 1) * gap)) / 2
      return Rect(
        x: left + (index % columns) * (tile.width + gap), y: top + row * (tile.height + gap),
        width: tile.width, height: tile.height)
    }
  }
}
