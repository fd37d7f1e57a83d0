import Methods
import Models
import Tensor

/// The checks of all methods: the losses of each through a whole CLIP by every trainable tensor, and the equations its
/// gradients must obey where they are not derivatives.
///
/// The image tower has two blocks, the text features are given. This is the list that the checks of a new method join,
/// as `MethodList` is that of the methods.
package enum MethodChecks {
  /// The cases of the encoder halves, in the order of `MethodList.encoders`.
  package static let encoders: [EncoderCase] = {
    let families: [[EncoderCase]] = [
      [EncoderCase("frozen", checks: HeadChecks.frozen)], MaskTuningChecks.cases, SensitivityChecks.cases,
      SiteChecks.cases, ScaleAndShiftChecks.cases, VisualPromptChecks.cases,
      ParallelAdapterChecks.cases,
      InputAdapterChecks.cases, FactorTuningChecks.cases,
      ConvolutionalBypassChecks.cases,
      ProjectionChecks.cases, CLIPLoRAChecks.cases,
      NeuronSelectionChecks.cases, SparseUpdatesChecks.cases,
      TwoStageChecks.cases,
    ]
    return families.flatMap(\.self)
  }()

  /// The checks of the heads on given image features, by name; the name of each check begins with that of the head.
  package static let heads: [(name: String, checks: @Sendable () -> [any Check])] = [
    ("zero-shot", { HeadChecks.zeroShot }), ("task-res", { TaskResChecks.checks }), ("linear", { HeadChecks.linear }),
    ("linear-probe", { HeadChecks.fitted("linear-probe") }), ("gda", { HeadChecks.fitted("gda") }),
    ("tip-adapter", { HeadChecks.fitted("tip-adapter") }),
    ("tip-adapter-f", { HeadChecks.trained("tip-adapter-f") }),
    ("clip-adapter", { HeadChecks.trained("clip-adapter") }), ("lp++", { HeadChecks.blend }),
    ("clap", { HeadChecks.trained("clap") }), ("coop", { HeadChecks.trained("coop") }),
    ("cocoop", { HeadChecks.trained("cocoop") }),
  ]

  /// The traces of the rules between gradients.
  ///
  /// - seed: that of their random numbers.
  package static func rules(seed: UInt64) -> [Trace] { [MaskTuningChecks.gradientDropoutTrace(seed: seed)] }

  /// All checks: encoder tunings, heads, and every pair of the two.
  package static var all: [any Check] { encoderChecks + headChecks + joint }

  /// The checks of every encoder half with the zero-shot classifier.
  package static var encoderChecks: [any Check] { MethodList.encoders.flatMap(checks) }

  /// The checks of every head.
  package static var headChecks: [any Check] { heads.flatMap { $0.checks() } }

  /// The checks of one encoder half.
  package static func checks(of encoder: any EncoderMethod) -> [any Check] {
    encoderCase(encoder).checks(MethodName(encoder, MethodList.heads[0]))
  }

  /// The checks of every trained encoder tuning with every trained head.
  package static var joint: [any Check] {
    MethodList.pairs.filter { $0.encoder.isTrained && $0.head.isTrained }.flatMap { losses($0) }
  }

  /// The case of an encoder half; traps where it has none.
  static func encoderCase(_ encoder: any EncoderMethod) -> EncoderCase {
    guard let own = encoders.first(where: { $0.name == encoder.name }) else {
      trap("MethodChecks: expected a case for \(encoder.name), found none")
    }
    return own
  }

  /// Each loss of a method by all the tensors it trains.
  static func losses(_ name: MethodName, _ variant: String = "", _ batch: MethodBatch? = nil) -> [any Check] {
    let batch = batch ?? MethodBatch(name)
    return (0..<batch.lossCount).map { loss -> GradientCheck in
      let relaxed: @Sendable ([Tensor]) -> Tensor = { batch.relaxedLosses($0)[loss] }
      let title = loss == 0 ? "L_ce + L_reg" : "L_kl"
      return GradientCheck(
        "\(name)/\(title)\(variant)", batch.inputs, scope: .network, relaxed: batch.isRelaxed ? relaxed : nil
      ) { batch.losses($0)[loss] }
    }
  }

  /// a ⊙ b
  static func product(_ a: Tensor, _ b: Tensor) -> Tensor {
    Tensor.read(a, b) { a0, b0 in
      Tensor(a.shape) { into in for index in 0..<a.count { into[index] = a0[index] * b0[index] } }
    }
  }
}

extension MethodName {
  /// A head of a known name with the frozen encoder.
  package init(frozenWith head: String) {
    guard let name = MethodName(head) else { trap("MethodName: expected a head, found \(head)") }
    self = name
  }
}
