/// A gateway on the simulated network, with a local network behind it. It costs no time: lines
/// belong to computers.
package final class SimulatedGateway {
  package let name: String
  /// The network behind it.
  let network: NetworkMap.Network
  private unowned let simulated: SimulatedNetwork

  init(_ name: String, network: NetworkMap.Network, simulated: SimulatedNetwork) {
    self.name = name
    self.network = network
    self.simulated = simulated
  }

  /// All that it remembers is lost. It gets a new outside address, or keeps the old one and gives
  /// other ports.
  package func rebind(keepsAddress: Bool = false) {
    simulated.rebind(self, keepsAddress: keepsAddress)
  }
}
