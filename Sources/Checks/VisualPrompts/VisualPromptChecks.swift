import Methods
import Tensor

/// The checks of prompts, two of each block.
enum VisualPromptChecks {
  /// One case per method.
  static let cases = ["vpt-shallow", "vpt-deep"].map { name in
    EncoderCase(
      name,
      tuning: { setting, head, _, _ in
        var setting = setting
        setting.recipe[VisualPromptSettings.self]?.prompts = 2
        return EncoderCase.published(setting, name, head)
      }, checks: SiteChecks.checks)
  }
}
