package import Sending
package import Units

/// What the microphone's thread encodes from now on.
package struct AudioOrder: Hashable, Sendable {
  package var bitrate: Bitrate
  /// What Opus is to allow for by redundancy of its own.
  package var expectedLossPercent: Int
  /// Of one packet: 10, 20, 40 or 60 ms.
  package var packet: Interval

  package init(bitrate: Bitrate, expectedLossPercent: Int, packet: Interval) {
    self.bitrate = bitrate
    self.expectedLossPercent = expectedLossPercent
    self.packet = packet
  }
}

/// Turns what each peer's path means for sound into one standing order for the encoder, which serves
/// all: the narrowest path bounds it, the one that loses most decides about copies.
///
/// Sound gets less than half of a path. Where that is little, bits are saved first, then, by longer
/// packets, headers: a packet costs 86 bytes before any sound is in it.
package struct AudioPlan: Sendable {
  private var hasShortPackets = false
  private var copies = 0
  /// Of the standing order; `nil` before the first.
  private var cost: Bitrate?

  /// Opus' rate, bit/s, with so many copies of 20 ms packets: all of it on the wire stays below
  /// 96 kbit/s, however far back the copies lie.
  private static let rates = [32_000, 27_000, 18_000, 13_600].map {
    Bitrate(bitsPerSecond: $0)
  }
  /// Where much is lost and copies of those do not fit: with one copy, the best first.
  private static let copied: [(packet: Interval, rate: Bitrate)] = [
    (20, 16), (40, 16), (40, 12), (60, 12),
  ].map { (Interval.milliseconds($0), Bitrate.kilobits($1)) }
  /// Where not even one copy fits, or hardly anything is lost.
  private static let single: [(packet: Interval, rate: Bitrate)] = [
    (20, 32), (20, 24), (20, 16), (40, 16), (60, 16), (60, 12),
  ].map { (Interval.milliseconds($0), Bitrate.kilobits($1)) }
  /// Sound in packets of 10 ms is heard 10 ms sooner and costs some 34 kbit/s of headers more: worth
  /// it where every path carries much more than that and loses little. The way back has other
  /// limits, so that it does not swing.
  private static let shortPackets = (from: Bitrate.kilobits(600), atMostLoss: 1)
  private static let longPackets = (below: Bitrate.kilobits(400), aboveLoss: 3)
  /// What a dearer choice must leave of the room, so that it does not swing either.
  private static let margin = 0.87
  /// Opus carries nothing again for less.
  private static let leastLoss = 10

  package init() {}

  /// What to make for peers with this advice, for sound and for pictures.
  package mutating func order(for sound: [AudioAdvice], pictures: [EncoderAdvice]) -> AudioOrder {
    let loss = sound.lazy.map(\.lossPercent).max() ?? 0
    let wanted = sound.lazy.map(\.copies).max() ?? 0
    let room = sound.lazy.map(\.room).min() ?? .kilobits(200)
    // Long packets are heard later, and one narrow path must not delay the sound of all.
    let choice = choose(wanted, room: room, canBeLong: sound.count < 2)
    let slowest = pictures.lazy.map(\.bitrate).min() ?? .zero
    if slowest < Self.longPackets.below || loss > Self.longPackets.aboveLoss || copies > 1 {
      hasShortPackets = false
    } else if slowest >= Self.shortPackets.from, loss <= Self.shortPackets.atMostLoss {
      hasShortPackets = true
    }
    let isShort = hasShortPackets && choice.packet == .milliseconds(20)
    return AudioOrder(
      bitrate: choice.rate,
      expectedLossPercent: loss == 0 || copies > 0 ? 0 : max(loss, Self.leastLoss),
      packet: isShort ? .milliseconds(10) : choice.packet)
  }

  private mutating func choose(
    _ wanted: Int, room: Bitrate, canBeLong: Bool
  ) -> (packet: Interval, rate: Bitrate) {
    let length = Interval.milliseconds(20)
    for count in stride(from: min(wanted, Self.rates.count - 1), to: 0, by: -1) {
      if fits(length, Self.rates[count], count, room) { return (length, Self.rates[count]) }
    }
    if wanted > 1, canBeLong {
      for choice in Self.copied where fits(choice.packet, choice.rate, 1, room) { return choice }
    }
    let single = canBeLong ? Self.single[...] : Self.single.prefix { $0.packet <= length }
    for choice in single where fits(choice.packet, choice.rate, 0, room) { return choice }
    let last = single[single.endIndex - 1]
    copies = 0
    cost = SoundShare.cost(last.packet, last.rate, copies: 0)
    return last
  }

  private mutating func fits(
    _ packet: Interval, _ rate: Bitrate, _ count: Int, _ room: Bitrate
  ) -> Bool {
    let new = SoundShare.cost(packet, rate, copies: count)
    let isDearer = cost.map { new > $0 && count == copies } ?? false
    guard new <= room * (isDearer ? Self.margin : 1) else { return false }
    cost = new
    copies = count
    return true
  }
}
