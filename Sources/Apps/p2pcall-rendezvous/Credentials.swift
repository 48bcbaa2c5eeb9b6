import CommandLine
import Encryption
import Files

/// The server's certificate and, with `--ca`, who may be a client.
struct Credentials {
  let certificate: ServerCertificate
  let authority: CertificateAuthority?

  /// From `--cert` and `--key`, or the server's own, made at the first start.
  init(_ options: RendezvousOptions, _ state: StateDirectory) throws {
    if let certFile = options.certFile, let keyFile = options.keyFile {
      let chain = try named("--cert") { () throws(FileProblem) in try readFile(certFile) }
      let key = try named("--key") { () throws(FileProblem) in
        try readFile(keyFile, isSecret: true)
      }
      do throws(CertificateError) {
        certificate = try ServerCertificate(certificatePEM: chain, keyPEM: key)
      } catch {
        let file = error == .noCertificate || error == .keyMismatch ? certFile : keyFile
        throw UsageError(
          "cannot use \(file): \(error); make certificate and key with tools/mkcerts.sh")
      }
    } else {
      certificate = try Self.own(state)
    }
    authority = try options.caFile.map(Self.authority)
  }

  private static func authority(_ file: String) throws -> CertificateAuthority {
    let pem = try named("--ca") { () throws(FileProblem) in try readFile(file) }
    do throws(CertificateError) {
      return try CertificateAuthority(pem: pem)
    } catch {
      throw UsageError("cannot use \(file): \(error); give --ca the CA's own certificate")
    }
  }

  /// Damaged, it is not replaced silently: everybody who knows its pin would be turned away.
  private static func own(_ state: StateDirectory) throws(FileProblem) -> ServerCertificate {
    let name = "server.pem"
    let pem = try state.readSecret(name) { ServerCertificate.generate().pem }
    do throws(CertificateError) {
      return try ServerCertificate(pem: pem)
    } catch {
      throw FileProblem(
        "cannot use \(state.path(of: name)): \(error); restore it, or remove it to begin with "
          + "a new pin")
    }
  }
}
