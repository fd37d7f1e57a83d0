/// The source to follow where a paper and its authors' released code differ: the switch `--as`.
///
/// Each difference is a row of `docs/ledger.md`.
public enum Fidelity: String, Sendable, CaseIterable, Codable {
  /// The released code, which produced the published numbers.
  case official
  /// The text of the paper.
  case paper
}
