import Encryption
import Foundation
import Testing

/// tools/mkcerts.sh, run as users run it.
@Suite struct MakeCertificatesTests {
  private static let script = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("tools/mkcerts.sh").path

  /// A folder of its own that goes when the test is over.
  private final class Folder {
    let path: String
    init() {
      path = NSTemporaryDirectory() + "mkcerts-" + UUID().uuidString
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }
    func bytes(_ name: String) throws -> [UInt8] {
      Array(try Data(contentsOf: URL(fileURLWithPath: path + "/" + name)))
    }
    var names: [String] {
      ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
    }
  }

  private func run(_ arguments: String...) throws -> (status: Int32, output: String) {
    try run(arguments)
  }
  private func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = [Self.script] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
  }

  @Test func `without arguments it makes a CA and a server for this computer`() throws {
    let folder = Folder()
    let result = try run("--dir", folder.path)
    #expect(result.status == 0, "\(result.output)")
    #expect(folder.names == ["ca.key", "ca.pem", "server.key", "server.pem"])
    let server = try ServerCertificate(
      certificatePEM: folder.bytes("server.pem"), keyPEM: folder.bytes("server.key"))
    #expect(result.output.contains("pin \(server.pin)"))
    let authority = try CertificateAuthority(pem: folder.bytes("ca.pem"))
    let chain = try DERChain(pem: folder.bytes("server.pem")).certificates
    for host in ["localhost", "127.0.0.1", "::1"] {
      #expect(authority.refusal(of: chain, for: .server(host: host)) == nil, "\(host)")
    }
    #expect(authority.refusal(of: chain, for: .server(host: "example.org")) != nil)
    #expect(authority.refusal(of: chain, for: .client) != nil)
    for name in folder.names {
      let attributes = try FileManager.default.attributesOfItem(atPath: folder.path + "/" + name)
      #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600, "\(name)")
    }
  }

  @Test func `it makes certificates for people and names`() throws {
    let folder = Folder()
    let made = try run(
      "--dir", folder.path, "--person", "Ann", "--person", "Zoë Müller, Köln", "call.example.org",
      "2001:db8::1")
    #expect(made.status == 0, "\(made.output)")
    let authority = try CertificateAuthority(pem: folder.bytes("ca.pem"))
    let names = folder.names.filter { $0.hasPrefix("person-") && $0.hasSuffix(".pem") }
    #expect(names.count == 2)
    var shown: [String] = []
    for name in names {
      let identity = try P256Identity(
        certificatePEM: folder.bytes(name),
        keyPEM: folder.bytes(name.replacing(".pem", with: ".key")))
      #expect(authority.refusal(of: identity.certificateChain, for: .person) == nil)
      #expect(
        authority.refusal(of: identity.certificateChain, for: .server(host: "call.example.org"))
          != nil)
      shown.append(
        CertificateAuthority.personName(inCertificate: identity.certificateChain[0]) ?? "")
    }
    #expect(shown.sorted() == ["Ann", "Zoë Müller, Köln"])
    // Another person later, from the same CA.
    let before = try folder.bytes("ca.pem")
    #expect(try run("--dir", folder.path, "--person", "Bob").status == 0)
    #expect(try folder.bytes("ca.pem") == before)
    #expect(folder.names.contains("person-Bob.pem"))
  }

  @Test func `nothing is overwritten without force`() throws {
    let folder = Folder()
    #expect(try run("--dir", folder.path).status == 0)
    let before = try folder.names.map { try folder.bytes($0) }
    for arguments in [[], ["a.example"], ["--ca"]] {
      let result = try run(["--dir", folder.path] + arguments)
      #expect(result.status == 1, "\(result.output)")
    }
    #expect(try folder.names.map { try folder.bytes($0) } == before)
    #expect(try run("--dir", folder.path, "--force").status == 0)
    let after = try folder.names.map { try folder.bytes($0) }
    // The CA stays, the server's certificate is new.
    #expect(after[0] == before[0] && after[1] == before[1])
    #expect(after[2] != before[2] && after[3] != before[3])
  }

  @Test(arguments: [
    ["--unknown"], ["--dir"], ["a b"], ["-x"], ["--days", "x"], ["--person", ""], ["999.1.1"],
    ["--person", "Ann", "--person", "Ann"], ["a..b/c"],
  ])
  func `wrong arguments are refused and leave nothing behind`(arguments: [String]) throws {
    let folder = Folder()
    let result = try run(["--dir", folder.path] + arguments)
    #expect(result.status == 2)
    #expect(result.output.hasPrefix("mkcerts: "))
    #expect(folder.names.isEmpty)
  }

  @Test func `help says what it does`() throws {
    let help = try run("--help")
    #expect(help.status == 0)
    for word in ["--person", "--force", "--dir", "--days", "localhost"] {
      #expect(help.output.contains(word))
    }
  }
}
