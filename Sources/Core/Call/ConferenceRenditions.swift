import Media
import Sending
import Units

/// What the division of the peers, and the encoders' orders, follow from: while none of it changes,
/// neither do they.
struct RenditionBasis: Hashable, Sendable {
  /// Who get pictures.
  var members: Int
  /// And how many of them the small one.
  var small: Int
  /// How often they were advised about.
  var advice: Int
  var source: PictureSize?
}

/// Who gets which of the two encodings, and when their key frames are made.
extension Conference {
  /// `open`: the places of the peers that get pictures.
  mutating func updateRenditions(of open: [Int], at now: Instant) {
    // This is asked after every packet; advice is new some times a second.
    let basis = RenditionBasis(
      members: open.count, small: open.count { peers[$0].rendition == .small },
      advice: open.reduce(0) { $0 + peers[$1].adviceCount }, source: source?.size)
    if choice.isUndecided || isChangePutOff || basis != renditionBasis {
      renditionBasis = basis
      divide(open, at: now)
    }
    for rendition in Rendition.allCases { updateHold(rendition, among: open) }
  }

  private mutating func divide(_ open: [Int], at now: Instant) {
    choice.update(
      open.compactMap { index in
        rateWorth(index).map {
          RenditionChoice.Peer(session: peers[index].session, bitrate: $0)
        }
      }, at: now)
    var takers: [[Int]] = [[], []]
    isChangePutOff = false
    for index in open {
      let wanted: Rendition = choice.small.contains(peers[index].session) ? .small : .main
      if wanted == .small, peers[index].wantedRendition == .main, !peers[index].wantsVideo {
        // Its path takes nothing at all now: a key frame would only be lost or late.
        isChangePutOff = true
        continue
      }
      takers[wanted.rawValue].append(index)
      // Until the main one's key frame comes, whoever goes up must still get pictures.
      if wanted == .main, peers[index].rendition == .small { takers[1].append(index) }
      guard wanted != peers[index].wantedRendition else { continue }
      peers[index].wantedRendition = wanted
      if wanted != peers[index].rendition { askForKeyFrame(wanted, at: now) }
    }
    let orders = plan.newOrders(
      main: advice(for: takers[0]), small: advice(for: takers[1]),
      of: source?.size.shrunk(into: configuration.picture))
    for (rendition, order) in orders { outputs.append(.encodeVideo(rendition, order)) }
  }

  /// What the encoder of a rendition is to know of those who get it. Who asked for less than another of
  /// them gets what that one does: nobody's picture is small for somebody else's sake.
  private func advice(for takers: [Int]) -> [EncoderAdvice] {
    guard let lead = takers.max(by: { isLess($0, than: $1) }) else { return [] }
    let asked = peers[lead].asked.bounds
    return takers.compactMap { index in
      guard var own = peers[index].advice else { return nil }
      if isLess(index, than: lead), let leading = peers[lead].advice {
        own.size = leading.size
        own.framesPerSecond = leading.framesPerSecond
      }
      if let size = own.size {
        own.bitrate = asked.useful(own.bitrate, for: size, framesPerSecond: own.framesPerSecond)
      }
      return own
    }
  }

  /// The first of two peers asked for a smaller picture than the second.
  private func isLess(_ first: Int, than second: Int) -> Bool {
    guard let full = source?.size.shrunk(into: configuration.picture) else { return false }
    return peers[first].asked.bounds.bounded(full).pixels
      < peers[second].asked.bounds.bounded(full).pixels
  }

  /// What a peer's path carries; of that, to one who asked for a smaller picture, the share of its
  /// pixels: such a one belongs with those whose paths carry little.
  private func rateWorth(_ index: Int) -> Bitrate? {
    guard let rate = peers[index].advice?.bitrate else { return nil }
    guard let full = source?.size.shrunk(into: configuration.picture) else { return rate }
    return rate * (Double(peers[index].asked.bounds.bounded(full).pixels) / Double(full.pixels))
  }

  /// One encoding serves several: while any of them has room, it goes on.
  private mutating func updateHold(_ rendition: Rendition, among open: [Int]) {
    var isServing = false
    var isWanted = false
    for index in open where isFor(rendition, index) {
      isServing = true
      if peers[index].wantsVideo { isWanted = true }
    }
    let isHeld = isServing && !isWanted
    guard isHeld != heldRenditions[rendition.rawValue] else { return }
    heldRenditions[rendition.rawValue] = isHeld
    outputs.append(.holdVideo(rendition, isHeld))
  }

  /// The peer gets it or waits for its key frame.
  private func isFor(_ rendition: Rendition, _ index: Int) -> Bool {
    peers[index].rendition == rendition || peers[index].wantedRendition == rendition
  }

  mutating func send(_ frame: EncodedVideoFrame, at now: Instant) {
    if frame.rendition == .main { encoderSpeed = frame.speed }
    if frame.isKeyFrame { keyFrames[frame.rendition.rawValue].noteOrdered(at: now) }
    for index in peers.indices { peers[index].send(frame, at: now) }
  }

  /// For one peer's sake: others who get the same are not to be given too many.
  mutating func askForKeyFrame(_ rendition: Rendition, at now: Instant) {
    let count = (0..<peers.count).count { peers[$0].gate.isOpen && isFor(rendition, $0) }
    if keyFrames[rendition.rawValue].ask(isShared: count > 1, at: now) {
      orderKeyFrame(rendition, at: now)
    }
  }

  mutating func orderKeyFrame(_ rendition: Rendition, at now: Instant) {
    keyFrames[rendition.rawValue].noteOrdered(at: now)
    outputs.append(.keyFrame(rendition))
  }
}
