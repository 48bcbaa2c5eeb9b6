import Links
import Testing
import Units
import Wire

/// Whole hubs on a simulated network: how links come about.
@Suite struct ConnectionTests {
  @Test(arguments: [Transport.auto, .udp, .tcp])
  func `two hubs prove themselves to each other and frames pass`(transport: Transport) {
    let lab = Lab(seed: 1)
    let anna = lab.add("anna", .init(transport: transport))
    let bert = lab.add("bert", .init(transport: transport))
    lab.introduceAll()
    lab.run(.seconds(2))

    for (node, other) in [(anna, bert), (bert, anna)] {
      #expect(node.proved.map(\.session) == [other.session])
      #expect(node.proved.first?.peer.displayName == other.name)
      #expect(node.proved.first?.peer.publicKeyInfo == Array("key of \(other.name)".utf8))
      #expect(node.selected.last?.report.carrier == (transport == .tcp ? .stream : .datagram))
      #expect(node.selected.last?.report.family == .v4)
      #expect(node.failures == [])
    }
    lab.feed(anna, .send(bert.session, .rtp, [1, 2, 3]))
    lab.feed(bert, .send(anna.session, .rtcp, [4]))
    lab.run(.milliseconds(100))
    #expect(bert.frames == [[1, 2, 3]])
    #expect(anna.frames == [[4]])
    #expect(anna.hub.roundTrip(of: bert.session).map { abs($0.milliseconds - 20) < 1 } == true)
  }
}
