import Testing

@Suite struct LayoutTests {
  private let targets = ListedTarget.all

  private func target(_ name: String) -> ListedTarget? { targets.first { $0.name == name } }

  @Test func `the package list is read whole`() {
    #expect(targets.count > 40)
    #expect(target("Call")?.dependencies.contains("Rooms") == true)
    #expect(target("p2pcall")?.folder == "Sources/Apps/p2pcall")
  }

  @Test func `targets depend only on targets listed above them`() {
    var above: Set<String> = []
    for target in targets {
      let below = target.dependencies.filter { !above.contains($0) }
      #expect(below.isEmpty, "\(target.name) depends on \(below), listed below it or not at all")
      above.insert(target.name)
    }
  }

  @Test func `files import only what their target declares`() {
    let known = Set(targets.map(\.name))
    for target in targets {
      for file in Repository.files(in: target.folder) where file.isSwift {
        let undeclared = file.imports.filter {
          known.contains($0) && !target.dependencies.contains($0)
        }
        #expect(undeclared.isEmpty, "\(file.path) imports \(undeclared)")
      }
    }
  }

  @Test func `Core imports nothing but Core`() {
    let core = Set(targets.filter { $0.folder.hasPrefix("Sources/Core/") }.map(\.name))
    for file in Repository.files(in: "Sources/Core") where file.isSwift {
      let allowed =
        switch file.path {
        // Units may take exp and log from the C library.
        case _ where file.path.hasPrefix("Sources/Core/Units/"): core.union(["Glibc"])
        // The one lock in Core; the reason stands there.
        case "Sources/Core/Media/PictureBuffers.swift": core.union(["Synchronization"])
        default: core
        }
      let foreign = file.imports.filter { !allowed.contains($0) }
      #expect(foreign.isEmpty, "\(file.path) imports \(foreign)")
    }
    for target in targets where target.folder.hasPrefix("Sources/Core/") {
      #expect(target.dependencies.allSatisfy(core.contains), "\(target.name)")
    }
  }

  @Test func `only Apps name adapters, and Simulation the erasure code`() {
    let adapters = Set(targets.filter { $0.folder.hasPrefix("Sources/Adapters/") }.map(\.name))
    for target in targets where !target.folder.hasPrefix("Sources/Apps/") {
      guard target.folder.hasPrefix("Sources/") else { continue }
      // It has no state and gives the same bytes everywhere: simulated calls run the real one.
      let pure: Set<String> = target.name == "Simulation" ? ["ErasureCoding"] : []
      let named = target.dependencies.filter { adapters.contains($0) && !pure.contains($0) }
      #expect(named.isEmpty, "\(target.name) depends on \(named)")
    }
  }

  @Test func `the server links neither a window nor sound nor a codec`() {
    var reached: Set<String> = []
    var waiting = ["p2pcall-rendezvous"]
    while let name = waiting.popLast() {
      guard reached.insert(name).inserted, let target = target(name) else { continue }
      // A dependency that no file imports links nothing.
      let imports = Set(Repository.files(in: target.folder).flatMap(\.imports))
      waiting += target.dependencies.filter(imports.contains)
    }
    let unwanted = ["CSDL", "CALSA", "CVPX", "COpus", "CFFmpeg", "CV4L"]
    #expect(reached.isDisjoint(with: unwanted), "\(reached.intersection(unwanted))")
  }

  @Test func `the whole of Foundation stays out of the programs`() {
    for file in Repository.files(in: "Sources") where file.isSwift {
      #expect(!file.imports.contains("Foundation"), "\(file.path): FoundationEssentials at most")
    }
  }

  @Test func `no type is named like its module`() {
    for target in targets {
      for file in Repository.files(in: target.folder) where file.isSwift {
        let kinds = ["struct", "class", "enum", "protocol", "actor"]
        let clash = file.lines.first { line in
          kinds.contains { kind in
            ["\(kind) \(target.name) ", "\(kind) \(target.name):", "\(kind) \(target.name)<"]
              .contains { line.contains($0) }
          }
        }
        #expect(clash == nil, "\(file.path): \(clash ?? "")")
      }
    }
  }
}
