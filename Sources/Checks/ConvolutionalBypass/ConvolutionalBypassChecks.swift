/// The checks of convolutions parallel to attention and MLP, eight channels on a square of four patches.
enum ConvolutionalBypassChecks {
  /// The case of the method.
  static let cases = [EncoderCase("convpass", checks: SiteChecks.checks)]
}
