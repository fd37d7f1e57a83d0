/// A method by name: an encoder tuning, a head, or both with a plus between them.
///
/// `r-amt` is R-AMT with CLIP's zero-shot classifier, `task-res` TaskRes on a frozen encoder, `r-amt+task-res` both at once.
public struct MethodName: Sendable, Equatable, CustomStringConvertible {
  /// What is tuned in the encoder.
  public enum Encoder: String, Sendable, CaseIterable {
    case frozen
    /// Masks on attention, gradient dropout.
    case ramt = "r-amt"
    /// Masks on the MLPs, gradient dropout.
    case rmmt = "r-mmt"
    /// Masks on attention and MLPs, gradient dropout.
    case rmt = "r-mt"
    /// Masks on the single weights with the largest gradients, gradient dropout.
    case rpmt = "r-pmt"
    /// Masks on attention, without gradient dropout.
    case maskTuning = "mask-tuning"
    /// The most sensitive weights, matrices by low-rank branches.
    case sptLoRA = "spt-lora"
    /// The most sensitive weights, matrices by adapters.
    case sptAdapter = "spt-adapter"
    /// Low-rank branches beside queries and values.
    case lora
    /// Adapters behind the MLPs.
    case adapter
    /// All biases.
    case bitfit
    /// Everything.
    case full
    /// The last blocks.
    case partial = "partial-k"

    /// Which weights can carry masks; `nil` for an encoder without masks.
    public var sites: MaskSites? {
      switch self {
      case .frozen, .sptLoRA, .sptAdapter, .lora, .adapter, .bitfit, .full, .partial: nil
      case .ramt, .maskTuning: .attention
      case .rmmt: .mlp
      case .rmt, .rpmt: .all
      }
    }
  }

  /// What turns features into classes.
  public enum Head: String, Sendable, CaseIterable {
    case zeroShot = "zero-shot"
    case taskRes = "task-res"
    case linear

    /// Whether it is made of text features.
    public var needsText: Bool { self != .linear }
  }

  /// The encoder half.
  public let encoder: Encoder
  /// The classifier half.
  public let head: Head

  /// A pair of halves.
  public init(_ encoder: Encoder, _ head: Head) { (self.encoder, self.head) = (encoder, head) }

  /// A name as typed; `nil` if a part is unknown or a half is named twice.
  public init?(_ text: String) {
    let parts = text.split(separator: "+", omittingEmptySubsequences: false).map(String.init)
    let encoders = parts.compactMap(Encoder.init(rawValue:))
    let heads = parts.compactMap(Head.init(rawValue:))
    guard encoders.count + heads.count == parts.count, encoders.count <= 1, heads.count <= 1 else { return nil }
    (encoder, head) = (encoders.first ?? .frozen, heads.first ?? .zeroShot)
  }

  /// The names of all halves that train something.
  public static var parts: [String] {
    Encoder.allCases.filter { $0 != .frozen }.map(\.rawValue)
      + Head.allCases.filter { $0 != .zeroShot }.map(\.rawValue)
  }

  /// The method on a model without text, for which the zero-shot classifier stands for a linear head.
  public var withoutText: MethodName { head == .zeroShot ? MethodName(encoder, .linear) : self }

  /// Whether the encoder is tuned at its sites, and not by masks.
  public var tunesSites: Bool { encoder != .frozen && encoder.sites == nil }

  /// Whether the weights to tune are chosen by their sensitivity.
  public var measuresSensitivity: Bool { encoder == .sptLoRA || encoder == .sptAdapter }

  /// Whether anything is trained.
  public var isTrained: Bool { encoder != .frozen || head != .zeroShot }

  /// Whether what is learned can be used with classes that were not seen in training: not where it is a row a class.
  public var canMeetNewClasses: Bool { head == .zeroShot }

  /// The name as it is typed.
  public var description: String {
    switch (encoder, head) {
    case (.frozen, let head): head.rawValue
    case (let encoder, .zeroShot): encoder.rawValue
    default: "\(encoder.rawValue)+\(head.rawValue)"
    }
  }
}
