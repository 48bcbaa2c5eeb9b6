import Camera
import CommandLine
import Sound

/// `p2pcall devices`: the names that --video, --audio and --play take.
func listDevices() {
  let output = TextOutput.standardOutput
  var found = 0
  let (cameras, refused) = Cameras.look()
  for camera in cameras {
    let size = camera.largest.map { " (up to \($0))" } ?? ""
    output.write(line: "camera:\(camera.path)  \(camera.name)\(size)")
    found += 1
  }
  for (option, devices) in [
    ("mic", SoundDevices.microphones()), ("speaker", SoundDevices.speakers()),
  ] {
    for device in devices {
      output.write(line: "\(option):\(device.name)  \(device.description)")
      found += 1
    }
  }
  for problem in refused { TextOutput.standardError.write(line: "p2pcall: \(problem)") }
  if found == 0, refused.isEmpty {
    TextOutput.standardError.write(
      line: "no camera, microphone or speaker was found; files, pipes, pattern and tone need none")
  }
}
