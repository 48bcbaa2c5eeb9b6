import Call
import Simulation
import Testing
import Units

/// What the others see of a device that is switched off, fails, and comes back.
@Suite struct DeviceScenarioTests {
  @Test func `a camera that is off is closed, and open again when it is on`() throws {
    let call = try SimulatedCall(seed: 11)
    let anna = call.add("Anna")
    let ben = call.add("Ben", after: .seconds(1))
    var atThree: (open: Bool, told: Bool?) = (true, nil)
    call.at(.seconds(2)) { anna.camera(isOn: false) }
    call.at(.seconds(3)) { atThree = (anna.isCameraOpen, ben.roster.first?.sendsVideo) }
    call.at(.seconds(4)) { anna.camera(isOn: true) }
    call.run(for: .seconds(8))
    #expect(atThree == (open: false, told: false))
    #expect(anna.isCameraOpen)
    #expect(ben.roster.first?.sendsVideo == true)
    call.finish()
    #expect(call.figures(of: anna, at: ben).shown > 100)
    #expect(call.findings.isEmpty, "\(call.findings.summary)")
  }

  @Test(arguments: [Device.camera, .microphone])
  func `the others are told that a device failed, and that it is back`(device: Device) throws {
    let call = try SimulatedCall(seed: 12)
    let anna = call.add("Anna")
    let ben = call.add("Ben", after: .seconds(1))
    func sends() -> Bool? {
      ben.roster.first.map { device == .camera ? $0.sendsVideo : $0.sendsAudio }
    }
    var told: [Bool?] = []
    call.at(.seconds(3)) {
      told.append(sends())
      anna.lose(device)
    }
    call.at(.seconds(4)) {
      told.append(sends())
      if device == .camera { anna.camera(isOn: true) } else { anna.microphone(isOn: true) }
    }
    call.run(for: .seconds(6))
    told.append(sends())
    call.finish()
    #expect(told == [true, false, true])
    #expect(anna.isCameraOpen)
    let devices = anna.events.compactMap { entry -> String? in
      guard case .device(let kind, let name, let state) = entry.event else { return nil }
      return "\(kind) \(name) \(state)"
    }
    #expect(devices == ["\(device.rawValue) X ended"])
    #expect(call.findings.isEmpty, "\(call.findings.summary)")
  }
}
