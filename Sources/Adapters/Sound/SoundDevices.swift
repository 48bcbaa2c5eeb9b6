import CALSA

/// A sound device as `p2pcall devices` lists it and `mic:` and `speaker:` take it.
package struct SoundDevice: Hashable, Sendable {
  package var name: String
  package var description: String
}

/// What ALSA knows of this computer's sound cards.
package enum SoundDevices {
  package static func microphones() -> [SoundDevice] { list(output: false) }
  package static func speakers() -> [SoundDevice] { list(output: true) }

  /// Name hints (alsa-lib's list of what its configuration offers), without the many variants of
  /// each card: the default device, sound servers, and each card's plain and converting PCM.
  private static func list(output: Bool) -> [SoundDevice] {
    var hints: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
    calsa_be_quiet()
    guard snd_device_name_hint(-1, "pcm", &hints) == 0, let hints else { return [] }
    defer { snd_device_name_free_hint(hints) }
    var found: [SoundDevice] = []
    var next = hints
    while let hint = next.pointee {
      next += 1
      guard let name = text(hint, "NAME"), isOffered(name) else { continue }
      let direction = text(hint, "IOID")
      guard direction == nil || direction == (output ? "Output" : "Input") else { continue }
      // alsa-lib offers a sound server wherever its plugin is installed, running or not.
      guard !isServer(name) || opens(name, output: output) else { continue }
      let lines = text(hint, "DESC") ?? ""
      let description = lines.split(separator: "\n").joined(separator: ", ")
      found.append(SoundDevice(name: name, description: description))
    }
    // Without a card, the default device cannot be opened and would promise what is not there.
    let hasHardware = found.contains { $0.name != "default" }
    return hasHardware ? found : []
  }

  private static func isOffered(_ name: String) -> Bool {
    let kind = name.prefix { $0 != ":" }
    return ["default", "pulse", "pipewire", "plughw"].contains(String(kind))
  }

  private static func isServer(_ name: String) -> Bool { name == "pulse" || name == "pipewire" }

  private static func opens(_ name: String, output: Bool) -> Bool {
    var handle: OpaquePointer?
    let stream = output ? SND_PCM_STREAM_PLAYBACK : SND_PCM_STREAM_CAPTURE
    guard snd_pcm_open(&handle, name, stream, SND_PCM_NONBLOCK) == 0, let handle else {
      return false
    }
    snd_pcm_close(handle)
    return true
  }

  private static func text(_ hint: UnsafeMutableRawPointer, _ key: String) -> String? {
    guard let value = snd_device_name_get_hint(hint, key) else { return nil }
    defer { free(value) }
    return String(cString: value)
  }
}
