import Methods

/// The checks of low-rank branches in both towers.
enum CLIPLoRAChecks {
  /// The case of the method.
  static let cases = [EncoderCase("clip-lora", checks: SiteChecks.checks)]
}
