import Media
import Simulating
import Simulation
import Testing
import Units

/// A camera in front of which nothing moves, over a whole path with libvpx.
@Suite struct StillPictureTests {
  @Test(arguments: [1_500, 10_000] as [Int64])
  func `a minute of the same picture costs next to nothing, and what follows it is fresh at once`(
    kilobits: Int64
  ) throws {
    let world = World(seed: 1)
    let findings = Findings(world)
    let line = AccessLine(
      name: "\(kilobits) kbit/s",
      up: LinkConditions(
        rate: .kilobits(kilobits), queue: .milliseconds(300), delay: .milliseconds(20)),
      down: LinkConditions(delay: .milliseconds(20)))
    var pictures = RealPictures.pattern(MediaPair.size)
    let moving = pictures.picture
    let still = moving(0, .zero)
    pictures.picture = { number, at in number < 60 * 30 ? still : moving(number, at) }
    let pair = MediaPair(
      world, network: SimulatedNetwork(world), from: line, to: .cable,
      film: try RealFilm(pictures, findings: findings), findings: findings)
    var decoded: [(captured: Instant, delay: Interval)] = []
    pair.viewer.onDecoded = { decoded.append(($0, $1 - $0)) }
    world.run(for: .seconds(10))
    let before = pair.viewer.figures
    world.run(for: .seconds(49))
    let bytes = pair.viewer.figures.decodedBytes - before.decodedBytes
    #expect(bytes < ByteCount(49 * 30_000 / 8), "\(bytes)")
    #expect(pair.viewer.figures.freezes == before.freezes)
    // It uses a twentieth of what it may, and knows that this is not the path's doing.
    #expect(pair.target > .kilobits(min(kilobits, 2_500) * 8 / 10), "\(pair.target)")

    world.run(for: .seconds(4))
    let change = try #require(decoded.firstIndex { $0.captured > .zero + .milliseconds(59_900) })
    let after = decoded[change...].prefix(60).map(\.delay)
    #expect(after.prefix(25).max()! < .milliseconds(110), "\(after)")
    #expect(after.max()! < .milliseconds(200), "\(after)")
    #expect(after.count == 60)
    #expect(pair.viewer.figures.freezes == before.freezes)
    #expect(findings.isEmpty, "\(findings.summary)")
  }
}
