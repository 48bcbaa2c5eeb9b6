import COpenSSL
import Encryption
import Fixtures
import Testing

@Suite struct CertificateAuthorityTests {
  let issuer = TestAuthority()

  private func refusal(
    of leaf: TestAuthority.Leaf, for purpose: CertificatePurpose, by other: TestAuthority? = nil
  ) throws -> String? {
    let issued = (other ?? issuer).issue(leaf)
    let chain = try DERChain(pem: issued.certificate).certificates
    return try CertificateAuthority(pem: issuer.pem).refusal(of: chain, for: purpose)
  }
  private let server = CertificatePurpose.server(host: "call.example.org")

  @Test func `a server's certificate is good for its names only`() throws {
    let leaf = TestAuthority.Leaf(
      names: "DNS:call.example.org,DNS:*.wild.example,IP:192.0.2.7,IP:2001:db8::7")
    for host in [
      "call.example.org", "CALL.example.org", "any.wild.example", "192.0.2.7",
      "2001:db8::7",
    ] { #expect(try refusal(of: leaf, for: .server(host: host)) == nil, "\(host)") }
    for host in [
      "example.org", "other.example.org", "a.b.wild.example", "192.0.2.8", "leaf",
      "2001:db8::8", "", "call.example.org.evil",
    ] { #expect(try refusal(of: leaf, for: .server(host: host)) != nil, "\(host)") }
  }

  @Test func `a server's certificate is nobody's, and a person's no server's`() throws {
    #expect(try refusal(of: .init(), for: .person) != nil)
    #expect(try refusal(of: .init(), for: .client) != nil)
    let person = TestAuthority.Leaf(usage: "clientAuth", names: "URI:p2pcall:Ann")
    #expect(try refusal(of: person, for: .person) == nil)
    #expect(try refusal(of: person, for: .client) == nil)
    var named = person
    named.names += ",DNS:call.example.org"
    #expect(try refusal(of: named, for: server) != nil)
  }

  @Test func `a certificate's dates are read in seconds since 1970`() throws {
    let issued = issuer.issue(.init(validity: -7_200...86_400))
    let chain = try DERChain(pem: issued.certificate).certificates
    let validity = try #require(CertificateAuthority.validity(ofCertificate: chain[0]))
    #expect(validity.upperBound - validity.lowerBound == 93_600)
    // What we make ourselves: 2000 to 9999.
    let own = try DERChain(pem: ServerCertificate.generate().pem).certificates
    #expect(
      CertificateAuthority.validity(ofCertificate: own[0]) == 946_684_800...253_402_300_799)
    #expect(CertificateAuthority.validity(ofCertificate: [1, 2, 3]) == nil)
  }

  @Test func `a person must be named`() throws {
    let nameless = TestAuthority.Leaf(usage: "clientAuth", names: "")
    #expect(try refusal(of: nameless, for: .client) == nil)
    #expect(try refusal(of: nameless, for: .person) != nil)
    for (uri, name) in [
      ("p2pcall:Ann", "Ann"), ("p2pcall:Zo%C3%AB%20M", "Zoë M"), ("p2pcall:", nil),
      ("https:Ann", nil), ("p2pcall:%", nil), ("p2pcall:%4", nil), ("p2pcall:%FF", nil),
    ] as [(String, String?)] {
      let issued = issuer.issue(.init(usage: "clientAuth", names: "URI:\(uri)"))
      let chain = try DERChain(pem: issued.certificate).certificates
      #expect(CertificateAuthority.personName(inCertificate: chain[0]) == name, "\(uri)")
      let refusal = try CertificateAuthority(pem: issuer.pem).refusal(of: chain, for: .person)
      #expect((refusal == nil) == (name != nil))
    }
  }

  @Test func `without a stated usage a certificate is good for nothing`() throws {
    let leaf = TestAuthority.Leaf(usage: nil, names: "DNS:call.example.org,URI:p2pcall:Ann")
    #expect(try refusal(of: leaf, for: server) != nil)
    #expect(try refusal(of: leaf, for: .person) != nil)
  }

  @Test func `expired, early, weak and unknown certificates are refused`() throws {
    #expect(try refusal(of: .init(), for: server) == nil)
    #expect(try refusal(of: .init(validity: -7_200 ... -3_600), for: server) != nil)
    #expect(try refusal(of: .init(validity: 3_600...7_200), for: server) != nil)
    #expect(try refusal(of: .init(keyBits: 1_024), for: server) != nil)
    #expect(try refusal(of: .init(keyBits: 2_048), for: server) == nil)
    #expect(try refusal(of: .init(hash: EVP_sha1()), for: server) != nil)
    #expect(try refusal(of: .init(), for: server, by: TestAuthority()) != nil)
  }

  @Test func `a leaf issues nothing`() throws {
    let authority = try CertificateAuthority(pem: issuer.pem)
    let selfMade = P256Identity.generate().certificateChain
    #expect(authority.refusal(of: selfMade, for: .client) != nil)
    #expect(authority.refusal(of: [[UInt8]](), for: .client) != nil)
    #expect(authority.refusal(of: [[0x30, 0x00]], for: .client) != nil)
    let leaf = try DERChain(pem: issuer.issue(.init()).certificate).certificates
    let child = TestAuthority().issue(.init())
    let chain = try DERChain(pem: child.certificate).certificates + leaf
    #expect(authority.refusal(of: chain, for: server) != nil)
  }

  @Test func `the system's store vouches for no private CA`() throws {
    let leaf = try DERChain(pem: issuer.issue(.init()).certificate).certificates
    #expect(CertificateAuthority.system().refusal(of: leaf, for: server) != nil)
  }

  @Test func `a file without certificates is no authority`() {
    #expect(throws: CertificateError.noCertificate) {
      try CertificateAuthority(pem: Array("nonsense".utf8))
    }
  }
}

/// DER certificates of a PEM text.
struct DERChain {
  let certificates: [[UInt8]]

  init(pem: [UInt8]) throws {
    var found: [[UInt8]] = []
    let memory = BIO_new_mem_buf(pem, Int32(pem.count))!
    defer { BIO_free(memory) }
    while let certificate = PEM_read_bio_X509(memory, nil, nil, nil) {
      let count = Int(i2d_X509(certificate, nil))
      var der = [UInt8](repeating: 0, count: count)
      der.withUnsafeMutableBufferPointer { buffer in
        var cursor = buffer.baseAddress
        i2d_X509(certificate, &cursor)
      }
      found.append(der)
      X509_free(certificate)
    }
    ERR_clear_error()
    certificates = found
  }
}
