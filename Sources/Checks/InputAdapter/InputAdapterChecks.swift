/// The checks of linear bottlenecks before maps, eight wide.
enum InputAdapterChecks {
  /// The case of the method.
  static let cases = [EncoderCase("repadapter", checks: SiteChecks.checks)]
}
