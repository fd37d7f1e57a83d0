import Methods
import Tensor

/// The checks of updates with shared factors, three wide, in a tower whose MLPs are twice as wide as its tokens.
///
/// The gradient of a core is a product with both factors. Nearer to their start it would be lost in the rounding of
/// single precision.
enum FactorTuningChecks {
  /// One case per form.
  static let cases = ["fact-tt", "fact-tk"].map { name in
    EncoderCase(
      name, vision: MethodBatch.doubled,
      tuning: { setting, head, _, _ in
        var setting = setting
        setting.recipe[FactorSettings.self]?.factors.rank = 3
        return EncoderCase.published(setting, name, head)
      }, values: { EncoderCase.moved($0, by: 0.5, &$1) }, checks: checks)
  }

  /// Those of all methods, and of the paper's order of slices where there are any.
  @Sendable private static func checks(_ name: MethodName) -> [any Check] {
    let own = SiteChecks.checks(name)
    guard name.encoder.name == "fact-tk" else { return own }
    return own + MethodChecks.losses(name, " with slices as in the paper", MethodBatch(name, .paper))
  }
}
