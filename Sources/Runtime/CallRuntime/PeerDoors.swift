/// Which of this computer's doors are open to peers and relays.
package struct PeerDoors: Sendable {
  /// Nothing comes or goes by another one, and no other one's addresses are told; `nil`: all.
  package var interface: String?
  /// Whether TCP connections are taken.
  package var listens: Bool

  package init(interface: String? = nil, listens: Bool = true) {
    self.interface = interface
    self.listens = listens
  }
}
