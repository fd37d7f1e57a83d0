import Methods

/// The checks of matrices of both towers with a sparse optimiser.
enum SparseUpdatesChecks {
  /// The case of the method.
  static let cases = [EncoderCase("so", checks: SiteChecks.checks)]
}
