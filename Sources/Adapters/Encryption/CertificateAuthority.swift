import COpenSSL
import Links

/// What a certificate is to be used for.
package enum CertificatePurpose: Hashable, Sendable {
  /// A rendezvous server, or a relay, under this host name or IP address.
  case server(host: String)
  /// A person: EKU clientAuth and a SAN URI `p2pcall:NAME`.
  case person
  /// A client of a server that runs with `--ca`: EKU clientAuth.
  case client
}

/// Trust anchors: a CA file's certificates, or those that the system trusts.
package final class CertificateAuthority: @unchecked Sendable {
  /// Filled once, then only read; verification locks within OpenSSL.
  private let store: OpaquePointer
  /// Names of the CAs, sent to clients so that they know whose certificate is wanted.
  let certificates: [Certificate]

  /// The certificates of a PEM text.
  package init(pem: [UInt8]) throws(CertificateError) {
    certificates = Certificate.all(inPEM: pem)
    if certificates.isEmpty { throw .noCertificate }
    store = X509_STORE_new()!
    for certificate in certificates { X509_STORE_add_cert(store, certificate.pointer) }
    ErrorQueue.clear()
  }

  private init(system: Void) {
    certificates = []
    store = X509_STORE_new()!
    X509_STORE_set_default_paths(store)
    ErrorQueue.clear()
  }

  /// The anchors that the operating system ships (SSL_CERT_FILE, SSL_CERT_DIR override them).
  package static func system() -> CertificateAuthority { CertificateAuthority(system: ()) }

  /// These, and the certificates of another one.
  static func system(with other: CertificateAuthority?) -> CertificateAuthority {
    let all = system()
    for certificate in other?.certificates ?? [] {
      X509_STORE_add_cert(all.store, certificate.pointer)
    }
    ErrorQueue.clear()
    return all
  }

  deinit { X509_STORE_free(store) }

  /// Why DER certificates, leaf first, are not good for the purpose today; `nil` when they are.
  package func refusal(of chain: [[UInt8]], for purpose: CertificatePurpose) -> String? {
    var certificates: [Certificate] = []
    for der in chain {
      guard let certificate = Certificate(der: der) else { return "a certificate is malformed" }
      certificates.append(certificate)
    }
    return fault(of: certificates, for: purpose)?.reason
  }

  func fault(of chain: [Certificate], for purpose: CertificatePurpose) -> CertificateFault? {
    guard let leaf = chain.first else { return CertificateFault(.other, "there is no certificate") }
    ErrorQueue.clear()
    defer { ErrorQueue.clear() }
    let context = X509_STORE_CTX_new()!
    defer { X509_STORE_CTX_free(context) }
    let untrusted = p2p_sk_X509_new()!
    defer { p2p_sk_X509_free(untrusted) }
    for certificate in chain.dropFirst() { _ = p2p_sk_X509_push(untrusted, certificate.pointer) }
    guard X509_STORE_CTX_init(context, store, leaf.pointer, untrusted) == 1 else {
      return CertificateFault(.other, "the certificate cannot be checked")
    }
    let parameters = X509_STORE_CTX_get0_param(context)
    // The usual level of TLS: no SHA-1 signatures, no RSA below 2 048 bits.
    X509_VERIFY_PARAM_set_auth_level(parameters, 2)
    switch purpose {
    case .server(let host):
      // To OpenSSL an empty name means that any will do.
      guard !host.isEmpty else {
        return CertificateFault(.misnamed, "the server has no name to check")
      }
      X509_STORE_CTX_set_purpose(context, X509_PURPOSE_SSL_SERVER)
      X509_VERIFY_PARAM_set_hostflags(
        parameters,
        UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT))
      if X509_VERIFY_PARAM_set1_ip_asc(parameters, host) != 1 {
        X509_VERIFY_PARAM_set1_host(parameters, host, 0)
      }
    case .person, .client:
      X509_STORE_CTX_set_purpose(context, X509_PURPOSE_SSL_CLIENT)
    }
    guard X509_verify_cert(context) == 1 else {
      return CertificateFault(code: X509_STORE_CTX_get_error(context))
    }
    return leaf.usageRefusal(for: purpose).map { CertificateFault(.other, $0) }
  }
}

extension CertificateFault {
  /// What X509_verify_cert found.
  fileprivate init(code: Int32) {
    let kind: Kind =
      switch code {
      case X509_V_ERR_CERT_HAS_EXPIRED, X509_V_ERR_CERT_NOT_YET_VALID: .outdated
      case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH: .misnamed
      case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
        X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
        X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, X509_V_ERR_CERT_SIGNATURE_FAILURE:
        .unvouched
      default: .other
      }
    self.init(kind, String(cString: X509_verify_cert_error_string(Int(code))))
  }
}

extension Certificate {
  /// OpenSSL accepts a certificate without extended key usage for every purpose; here the usage
  /// must be stated, so that a server's certificate never passes for a person's.
  fileprivate func usageRefusal(for purpose: CertificatePurpose) -> String? {
    let usage = X509_get_extended_key_usage(pointer)
    let isStated = usage != UInt32.max
    switch purpose {
    case .server:
      return isStated && usage & UInt32(XKU_SSL_SERVER) != 0
        ? nil : "the certificate does not state that it is a server's"
    case .client, .person:
      guard isStated, usage & UInt32(XKU_SSL_CLIENT) != 0 else {
        return "the certificate does not state that it is a client's"
      }
      guard purpose == .person else { return nil }
      return personName == nil ? "the certificate names no person" : nil
    }
  }

  /// NAME of the SAN URI `p2pcall:NAME`, percent-decoded (RFC 3986 §2.1).
  var personName: String? {
    guard let text = p2p_first_URI(pointer) else { return nil }
    defer { p2p_OPENSSL_free(text) }
    let uri = String(cString: text)
    let scheme = "p2pcall:"
    guard uri.hasPrefix(scheme) else { return nil }
    var name: [UInt8] = []
    var rest = uri.dropFirst(scheme.count).utf8[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        name.append(byte)
        continue
      }
      let digits = rest.prefix(2).compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
      guard digits.count == 2 else { return nil }
      name.append(UInt8(digits[0] << 4 | digits[1]))
      rest.removeFirst(2)
    }
    guard let decoded = String(validating: name, as: UTF8.self), !decoded.isEmpty else {
      return nil
    }
    return decoded
  }
}

extension Certificate {
  /// Seconds since 1970; `nil` where a date cannot be read.
  var validity: ClosedRange<Int64>? {
    guard let begin = Self.seconds(X509_get0_notBefore(pointer)),
      let end = Self.seconds(X509_get0_notAfter(pointer)), begin <= end
    else { return nil }
    return begin...end
  }

  private static func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64? {
    guard let time, let epoch = ASN1_TIME_set(nil, 0) else { return nil }
    defer {
      ASN1_TIME_free(epoch)
      ErrorQueue.clear()
    }
    var (days, seconds): (Int32, Int32) = (0, 0)
    guard ASN1_TIME_diff(&days, &seconds, epoch, time) == 1 else { return nil }
    return Int64(days) * 86_400 + Int64(seconds)
  }
}

extension CertificateAuthority {
  /// From when to when a DER certificate is valid, in seconds since 1970; `nil` where it doesn't parse.
  package static func validity(ofCertificate der: [UInt8]) -> ClosedRange<Int64>? {
    Certificate(der: der)?.validity
  }

  /// The name in a person's DER certificate; meaningful only after `refusal` returned `nil`.
  package static func personName(inCertificate der: [UInt8]) -> String? {
    Certificate(der: der)?.personName
  }
}
