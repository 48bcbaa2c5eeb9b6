/// A place in the window, in physical pixels from its top left corner.
package struct Point: Hashable, Sendable {
  package var x: Int
  package var y: Int

  package init(x: Int, y: Int) {
    self.x = x
    self.y = y
  }
}

/// A width and a height in physical pixels.
package struct Extent: Hashable, Sendable {
  package var width: Int
  package var height: Int

  package init(width: Int, height: Int) {
    self.width = width
    self.height = height
  }
}

/// A rectangle in physical pixels; `maxX` and `maxY` lie just outside.
package struct Rect: Hashable, Sendable {
  package var x: Int
  package var y: Int
  package var width: Int
  package var height: Int

  package init(x: Int, y: Int, width: Int, height: Int) {
    self.x = x
    self.y = y
    self.width = width
    self.height = height
  }

  package static let zero = Rect(x: 0, y: 0, width: 0, height: 0)

  package var maxX: Int { x + width }
  package var maxY: Int { y + height }
  package var midX: Int { x + width / 2 }
  package var midY: Int { y + height / 2 }
  package var isEmpty: Bool { width <= 0 || height <= 0 }
  package var extent: Extent { Extent(width: width, height: height) }

  package func contains(_ point: Point) -> Bool {
    point.x >= x && point.x < maxX && point.y >= y && point.y < maxY
  }
  package func contains(_ other: Rect) -> Bool {
    other.x >= x && other.maxX <= maxX && other.y >= y && other.maxY <= maxY
  }
  package func intersects(_ other: Rect) -> Bool {
    x < other.maxX && other.x < maxX && y < other.maxY && other.y < maxY
  }
  /// Smaller by `dx` on the left and right and by `dy` above and below; never negative in size.
  package func inset(_ dx: Int, _ dy: Int) -> Rect {
    Rect(x: x + dx, y: y + dy, width: max(0, width - 2 * dx), height: max(0, height - 2 * dy))
  }
  package func inset(_ distance: Int) -> Rect { inset(distance, distance) }

  /// The largest rectangle of `shape`'s proportions inside this one, centred: a picture that is
  /// shown whole and never stretched.
  package func fitting(_ shape: Extent) -> Rect {
    guard shape.width > 0, shape.height > 0, !isEmpty else {
      return Rect(x: midX, y: midY, width: 0, height: 0)
    }
    var fitted = Extent(
      width: width, height: (width * shape.height + shape.width / 2) / shape.width)
    if fitted.height > height {
      fitted = Extent(
        width: (height * shape.width + shape.height / 2) / shape.height, height: height)
    }
    return centered(fitted)
  }

  /// A rectangle of this size with the same centre.
  package func centered(_ size: Extent) -> Rect {
    Rect(
      x: x + (width - size.width) / 2, y: y + (height - size.height) / 2,
      width: size.width, height: size.height)
  }
}
