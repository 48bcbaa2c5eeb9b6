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
  /// Nodes that capture video and can be opened, sorted by number; and why others that are there
  /// cannot be.
  package static func look(
    calls: any DeviceCalls = KernelCalls()
  ) -> (cameras: [CameraEntry], refused: [MediaError]) {
    var cameras: [CameraEntry] = []
    var refused: [MediaError] = []
    for number in 0..<64 {
      do {
        let device = try CameraDevice("/dev/video\(number)", calls: calls)
        guard let name = device.captureName() else { continue }
        guard let largest = device.modes().map(\.size).max(by: { $0.pixels < $1.pixels }) else {
          continue
        }
        cameras.append(CameraEntry(path: device.path, name: name, largest: largest))
      } catch {
        // A node without a device behind it is no camera.
        if error.kind != .absent, error.kind != .ended { refused.append(error) }
      }
    }
    return (cameras, refused)
  }
}
