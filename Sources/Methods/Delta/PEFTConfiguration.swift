import Formats
import Foundation
import Models

/// `adapter_config.json` of a low-rank adapter as PEFT writes it: the scale of its branches, and the refusal of
/// everything that changes what it calculates and has no counterpart here.
struct PEFTConfiguration {
  /// The dropout at the input of the branches in training.
  let dropout: Double
  /// Keys that this library does not know; what they change is not known either.
  let unknownKeys: [String]
  private let rank, alpha: Double
  private let ranks, alphas: [String: Double]
  private let isRankStabilized: Bool

  /// Reads the file.
  ///
  /// - Throws: `DeltaError` that names the key, `FileError` for a file that cannot be read.
  init(contentsOf url: URL) throws {
    let bytes = try JSON.configuration(of: url)
    let value: StatedValue
    do throws(JSONTextError) { value = try StatedValue(bytes) } catch {
      throw DeltaError(url.shown, expected: error.expected, found: error.found)
    }
    guard let values = value.object?.filter({ $0.value != .null }) else {
      throw DeltaError(url.shown, expected: "a JSON object", found: "other contents")
    }
    let file = KeyReader(file: url.shown, values: values)
    try file.checkKind()
    rank = try file.number("r", standard: 8, in: 1...1e6)
    alpha = try file.number("lora_alpha", standard: 8, in: -1e6...1e6)
    dropout = try file.number("lora_dropout", standard: 0, in: 0...1)
    ranks = try file.pattern("rank_pattern")
    alphas = try file.pattern("alpha_pattern")
    isRankStabilized = file.isTrue("use_rslora")
    unknownKeys = file.unknownKeys
  }

  /// What B A is multiplied by: α / r, or α / √r of a rank-stabilised adapter (Kalajdzievski 2023).
  ///
  /// - rank: that of the module's tensors.
  /// - Throws: `DeltaError` where the configuration has another rank for the module.
  func scale(of path: String, rank found: Int, file: String) throws(DeltaError) -> Double {
    let stated = try Self.value(of: path, in: ranks, "rank_pattern", file) ?? rank
    guard stated == Double(found) else {
      throw DeltaError(
        "\(file): \(path)", expected: "tensors of rank \(Self.shown(stated)), as the configuration has it",
        found: "\(found)")
    }
    let alpha = try Self.value(of: path, in: alphas, "alpha_pattern", file) ?? alpha
    return alpha / (isRankStabilized ? stated.squareRoot() : stated)
  }

  private static func shown(_ value: Double) -> String { value == value.rounded() ? "\(Int(value))" : "\(value)" }

  /// The value of the pattern that a path ends with; a whole path counts before an end of it.
  private static func value(
    of path: String, in patterns: [String: Double], _ key: String, _ file: String
  ) throws(DeltaError) -> Double? {
    if let value = patterns[path] { return value }
    let found = patterns.filter { path.hasSuffix(".\($0.key)") }
    // PEFT takes the first in the order of the file, which a dictionary does not keep.
    guard Set(found.values).count <= 1 else {
      throw DeltaError(
        "\(file): \(key)", expected: "one value for \(path)", found: found.keys.sorted().joined(separator: ", "))
    }
    return found.values.first
  }
}

/// The keys of the file.
private struct KeyReader {
  let file: String
  /// Those that are not null.
  let values: [String: StatedValue]

  /// What only training, or the choice of modules, reads: the tensors tell which modules there are.
  private static let neutral: Set<String> = [
    "task_type", "auto_mapping", "peft_version", "base_model_name_or_path", "revision", "inference_mode",
    "target_modules", "exclude_modules", "layers_to_transform", "layers_pattern", "megatron_core", "eva_config",
    "qalora_group_size", "runtime_config", "ensure_weight_tying", "modules_to_save",
  ]
  /// What is read.
  private static let known: Set<String> = [
    "peft_type", "r", "lora_alpha", "lora_dropout", "rank_pattern", "alpha_pattern", "use_rslora", "bias",
    "init_lora_weights",
  ]
  /// What changes the result unless it is false, null or empty.
  private static let refused: Set<String> = [
    "use_dora", "use_qalora", "lora_bias", "fan_in_fan_out", "layer_replication", "alora_invocation_tokens",
    "trainable_token_indices", "target_parameters", "use_bdlora", "arrow_config", "kasa_config", "velora_config",
    "monteclora_config", "megatron_config", "lora_ga_config", "corda_config", "loftq_config",
  ]

  var unknownKeys: [String] {
    values.keys.filter { !Self.neutral.contains($0) && !Self.known.contains($0) && !Self.refused.contains($0) }
      .filter { !isOff($0) }.sorted()
  }

  func error(_ key: String, _ expected: String, _ found: StatedValue?) -> DeltaError {
    DeltaError("\(file): \(key)", expected: expected, found: found?.shortened ?? "none")
  }

  func checkKind() throws(DeltaError) {
    guard values["peft_type"] == "LORA" else {
      throw error("peft_type", "\"LORA\", the kind of adapter that is read", values["peft_type"])
    }
    for key in Self.refused.sorted() where !isOff(key) {
      throw DeltaError(
        "\(file): \(key)", expected: "nothing, as such adapters are not read",
        found: values[key]?.shortened ?? "none")
    }
    if let bias = values["bias"], bias != "none" {
      throw error("bias", "\"none\", as adapters with biases are not read", bias)
    }
    // Others start from a changed model, to which the adapter then belongs.
    let starts = ["gaussian", "eva", "orthogonal"]
    if let start = values["init_lora_weights"]?.string, !starts.contains(start) {
      throw error(
        "init_lora_weights", "true, false, \(starts.joined(separator: ", ")), which keep the model", .string(start))
    }
  }

  /// Whether a key has a value that Python takes for true.
  func isTrue(_ key: String) -> Bool { !isOff(key) }

  /// Whether a key is absent, null, false, zero or empty.
  private func isOff(_ key: String) -> Bool {
    switch values[key] {
    case nil, .null: true
    case .bool(let isOn): !isOn
    case .number(let number): number == 0
    case .string(let text): text.isEmpty
    case .list(let values): values.isEmpty
    case .object(let members): members.isEmpty
    }
  }

  func number(_ key: String, standard: Double, in range: ClosedRange<Double>) throws(DeltaError) -> Double {
    guard let value = values[key] else { return standard }
    guard let number = value.number, range.contains(number) else {
      throw error(key, "a number", value)
    }
    return number
  }

  /// Numbers by the names of modules, or by their ends.
  ///
  /// PEFT takes expressions here too: those would have to be understood as Python understands them.
  func pattern(_ key: String) throws(DeltaError) -> [String: Double] {
    guard let value = values[key] else { return [:] }
    guard let object = value.object else { throw error(key, "an object of numbers", value) }
    var numbers: [String: Double] = [:]
    for (name, value) in object {
      let isPlain = name.unicodeScalars.allSatisfy {
        $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || $0 == "_" || $0 == "." || $0 == "-")
      }
      guard isPlain, !name.isEmpty else { throw error(key, "names of modules", .string(name)) }
      guard let number = value.number else {
        throw error("\(key): \(name)", "a number", value)
      }
      numbers[name] = number
    }
    return numbers
  }
}
