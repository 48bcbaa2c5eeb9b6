package import Media

/// A camera as `p2pcall devices` lists it and `--video camera:` takes it.
package struct CameraEntry: Hashable, Sendable {
  package var path: String
  package var name: String
  /// The largest picture it gives.
  package var largest: PictureSize?
}

/// The cameras of this computer.
package enum Cameras {
  /// Nodes that capture video and can be opened; sorted by number.
  package static func list(calls: any DeviceCalls = KernelCalls()) -> [CameraEntry] {
    var found: [CameraEntry] = []
    for number in 0..<64 {
      let path = "/dev/video\(number)"
      guard let device = try? CameraDevice(path, calls: calls),
        let name = device.captureName()
      else { continue }
      let largest = device.modes().map(\.size).max { $0.pixels < $1.pixels }
      if largest != nil { found.append(CameraEntry(path: path, name: name, largest: largest)) }
    }
    return found
  }
}
