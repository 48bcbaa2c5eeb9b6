import Links
import Units

/// TCP across the bottleneck: bulk, or transfers with pauses in between.
final class StreamFlow {
  let source: SimulatedHost
  let sink: SimulatedHost
  /// How long each finished transfer took; bulk has none.
  private(set) var transfers: [Interval] = []

  private let world: World
  private let kind: ScenarioFlow.Kind
  private let end: Instant
  private let target: SocketAddress
  private var random: SeededRandom
  private var streamCount: UInt64 = 0
  private var left = 0
  private var began = Instant.zero

  private static let piece = [UInt8](repeating: 0x55, count: 64 << 10)
  /// The exponential pauses are made of such steps.
  private static let idleStep = Interval.milliseconds(10)

  init(
    _ world: World, network: SimulatedNetwork, flow: ScenarioFlow, from: AccessLine,
    to: AccessLine
  ) {
    self.world = world
    kind = flow.kind
    end = flow.end
    random = world.split()
    source = network.addHost("\(flow.name) source", line: from)
    sink = network.addHost("\(flow.name) sink", line: to)
    if case .bulk(let algorithm) = kind { source.streamAlgorithm = algorithm }
    if case .short(let algorithm, _, _) = kind { source.streamAlgorithm = algorithm }
    target = SocketAddress(sink.addresses[0], port: sink.listen())
    source.program = { [unowned self] in handle($0) }
    sink.program = { [unowned self] in
      guard case .streamClosed = $0, case .short = kind else { return }
      transfers.append(world.now - began)
      idle()
    }
    switch kind {
    case .short: idle()
    case .bulk, .media: dial()
    }
  }

  private var stream: StreamID { .dialed(streamCount) }

  private func dial() {
    guard world.now < end else { return }
    streamCount += 1
    began = world.now
    left = .max
    if case .short(_, let bytes, _) = kind {
      left = bytes.lowerBound + Int(random.unit() * Double(bytes.upperBound - bytes.lowerBound))
    }
    source.dial(stream, to: target)
  }

  private func handle(_ event: NetworkEvent) {
    switch event {
    case .dialed(let id) where id == stream: write()
    // The kernel took all: it is given more before it runs dry.
    case .backlog(let id, 0) where id == stream: write()
    case .dialFailed(let id) where id == stream: idle()
    default: break
    }
  }

  private func write() {
    guard left > 0 else { return }
    guard world.now < end else {
      left = 0
      source.hangUp(stream)
      return
    }
    let count = min(left, Self.piece.count)
    if left != .max { left -= count }
    source.write(count == Self.piece.count ? Self.piece : Array(Self.piece[..<count]), on: stream)
    if left == 0 { source.hangUp(stream) }
  }

  private func idle() {
    guard case .short(_, _, let mean) = kind else { return }
    // Whether it ends is drawn for each step: as good as exponential, and without a logarithm.
    let chance = min(1, Self.idleStep.seconds / max(mean, Self.idleStep).seconds)
    var pause = Self.idleStep
    while !random.chance(chance), pause < .seconds(3_600) { pause = pause + Self.idleStep }
    world.schedule(after: pause) { [weak self] in self?.dial() }
  }
}
