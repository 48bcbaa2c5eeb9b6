import Wire

extension Admission {
  /// Of the TLS exporter that binds an admission to its connection; 32 bytes.
  package static let exporterLabel = AdmissionStatement.exporterLabel
}
