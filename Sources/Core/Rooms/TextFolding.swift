/// Unicode's normal forms, which Core leaves to a library.
package protocol TextFolding: Sendable {
  /// Normalisation form C: what passwords are hashed in.
  func composed(_ text: String) -> String
  /// Compatibility decomposition, case folding and composition: equal for names that people read
  /// as the same.
  func folded(_ text: String) -> String
}
