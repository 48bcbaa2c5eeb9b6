import Links
import Testing
import Wire

@Suite struct PathSelectionTests {
  private let udp = LinkID.datagram(attempt: 1)
  private let tcp = LinkID.stream(.dialed(1))
  private let other = LinkID.stream(.accepted(1))

  /// A selection by reference: expectations can't call what mutates a value.
  private final class Selection {
    private var selection: PathSelection
    init(decides: Bool) { selection = PathSelection(decides: decides) }
    var sending: LinkID? { selection.sending }
    func update(_ options: [PathSelection.Option]) -> UInt32? { selection.update(options) }
    func take(_ number: UInt32, on id: LinkID) { selection.take(Select(number: number), on: id) }
  }

  private func option(
    _ id: LinkID, alive: Bool = true, steady: Bool? = nil
  ) -> PathSelection.Option {
    .init(
      id: id, rank: id.carrier == .datagram ? 0 : 1, isAlive: alive, isSteady: steady ?? alive)
  }

  @Test func `the lower session sends on the first link and moves to a better one at once`() {
    let selection = Selection(decides: true)
    #expect(selection.update([]) == nil)
    #expect(selection.update([option(tcp)]) == 1)
    #expect(selection.sending == tcp)
    #expect(selection.update([option(tcp), option(udp)]) == 2)
    #expect(selection.sending == udp)
    #expect(selection.update([option(tcp), option(udp)]) == nil)
  }

  @Test func `a link of the same rank changes nothing`() {
    let selection = Selection(decides: true)
    _ = selection.update([option(tcp)])
    #expect(selection.update([option(tcp), option(other)]) == nil)
    #expect(selection.sending == tcp)
  }

  @Test func `a silent link is left, and taken again when it is steady`() {
    let selection = Selection(decides: true)
    _ = selection.update([option(udp), option(tcp)])
    #expect(selection.update([option(udp, alive: false), option(tcp)]) == 2)
    #expect(selection.sending == tcp)
    #expect(selection.update([option(udp, steady: false), option(tcp)]) == nil)
    #expect(selection.update([option(udp), option(tcp)]) == 3)
    #expect(selection.sending == udp)
  }

  @Test func `when all are silent the choice stays`() {
    let selection = Selection(decides: true)
    _ = selection.update([option(udp), option(tcp)])
    let silent = [option(udp, alive: false), option(tcp, alive: false)]
    #expect(selection.update(silent) == nil)
    #expect(selection.sending == udp)
  }

  @Test func `a link that is gone is replaced`() {
    let selection = Selection(decides: true)
    _ = selection.update([option(udp), option(tcp)])
    #expect(selection.update([option(tcp)]) == 2)
    #expect(selection.sending == tcp)
    #expect(selection.update([]) == nil)
    #expect(selection.sending == nil)
  }

  @Test func `the higher session obeys the highest number`() {
    let selection = Selection(decides: false)
    #expect(selection.update([option(tcp)]) == nil)
    #expect(selection.sending == tcp)
    #expect(selection.update([option(tcp), option(udp)]) == nil)
    #expect(selection.sending == tcp)
    selection.take(5, on: udp)
    _ = selection.update([option(tcp), option(udp)])
    #expect(selection.sending == udp)
    // An older one, late.
    selection.take(4, on: tcp)
    _ = selection.update([option(tcp), option(udp)])
    #expect(selection.sending == udp)
  }

  @Test func `the higher session doesn't send into silence while another link is heard`() {
    let selection = Selection(decides: false)
    selection.take(1, on: udp)
    _ = selection.update([option(udp), option(tcp)])
    _ = selection.update([option(udp, alive: false), option(tcp)])
    #expect(selection.sending == tcp)
    _ = selection.update([option(udp), option(tcp)])
    #expect(selection.sending == udp)
  }

  @Test func `who decides obeys nobody`() {
    let selection = Selection(decides: true)
    _ = selection.update([option(udp), option(tcp)])
    selection.take(100, on: tcp)
    #expect(selection.update([option(udp), option(tcp)]) == nil)
    #expect(selection.sending == udp)
  }
}
