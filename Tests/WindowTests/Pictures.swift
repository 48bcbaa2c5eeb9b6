import Foundation
import Media
import Synchronization
import Units

@testable import Window

/// Pictures for the window's tests.
enum Pictures {
  /// One colour, given in BT.601 limited range.
  static func plain(_ size: PictureSize, y: UInt8, u: UInt8, v: UInt8) -> Picture {
    Picture(size: size) { planes in
      for index in 0..<size.pixels { planes[index] = y }
      for index in size.pixels..<size.pixels * 5 / 4 { planes[index] = u }
      for index in size.pixels * 5 / 4..<size.pixels * 3 / 2 { planes[index] = v }
    }
  }

  /// A white disc in the middle of a dark green picture, half as high as it.
  static func disc(_ size: PictureSize) -> Picture {
    Picture(size: size) { planes in
      let radius = size.height / 4
      for y in 0..<size.height {
        for x in 0..<size.width {
          let (dx, dy) = (x - size.width / 2, y - size.height / 2)
          planes[y * size.width + x] = dx * dx + dy * dy <= radius * radius ? 235 : 60
        }
      }
      for y in 0..<size.height / 2 {
        for x in 0..<size.width / 2 {
          let (dx, dy) = (x * 2 - size.width / 2, y * 2 - size.height / 2)
          let isInside = dx * dx + dy * dy <= radius * radius
          let index = size.pixels + y * size.width / 2 + x
          planes[index] = isInside ? 128 : 100
          planes[index + size.pixels / 4] = isInside ? 128 : 100
        }
      }
    }
  }

  /// I420 pictures from the folder that `P2PCALL_TEST_PICTURES` names (`NAME-WIDTHxHEIGHT.yuv`),
  /// for judging the window by eye; else a disc.
  static func people(_ count: Int) -> [Picture] {
    let folder = ProcessInfo.processInfo.environment["P2PCALL_TEST_PICTURES"] ?? ""
    let files = folder.isEmpty ? [] : (try? FileManager.default.contentsOfDirectory(atPath: folder))
    let pictures = (files ?? []).sorted().compactMap { read(folder + "/" + $0) }
    let all = pictures.isEmpty ? [disc(PictureSize(width: 640, height: 360))] : pictures
    return (0..<count).map { all[$0 % all.count] }
  }

  private static func read(_ path: String) -> Picture? {
    guard let match = path.firstMatch(of: /-(\d+)x(\d+)\.yuv$/), let width = Int(match.1),
      let height = Int(match.2), let data = FileManager.default.contents(atPath: path),
      data.count == width * height * 3 / 2
    else { return nil }
    return Picture(size: PictureSize(width: width, height: height)) { planes in
      _ = data.copyBytes(to: planes)
    }
  }

  static func frame(_ picture: Picture) -> VideoFrame {
    VideoFrame(picture: picture, capturedAt: .zero)
  }
}

/// What a window shows, for reading pixels.
struct Screen {
  var size: Extent
  var pixels: [UInt8]

  @MainActor init(_ window: CallWindow) { (size, pixels) = window.capture() }

  subscript(x: Int, y: Int) -> (red: Int, green: Int, blue: Int) {
    let index = (y * size.width + x) * 3
    return (Int(pixels[index]), Int(pixels[index + 1]), Int(pixels[index + 2]))
  }

  /// How many pixels of a rectangle are brighter than `level`.
  func bright(in rect: Rect, above level: Int = 150) -> Int {
    var count = 0
    for y in max(0, rect.y)..<min(size.height, rect.maxY) {
      for x in max(0, rect.x)..<min(size.width, rect.maxX) {
        let pixel = self[x, y]
        if pixel.red + pixel.green + pixel.blue > level * 3 { count += 1 }
      }
    }
    return count
  }

  /// Written as a picture file where `P2PCALL_SCREENSHOTS` names a folder.
  func save(_ name: String) {
    guard let folder = ProcessInfo.processInfo.environment["P2PCALL_SCREENSHOTS"] else { return }
    var data = Data("P6\n\(size.width) \(size.height)\n255\n".utf8)
    data.append(contentsOf: pixels)
    _ = FileManager.default.createFile(atPath: folder + "/\(name).ppm", contents: data)
  }
}

/// Counts calls from any thread.
final class Counter: Sendable {
  private let value = Mutex(0)
  var count: Int { value.withLock { $0 } }
  func add() { value.withLock { $0 += 1 } }
}
