import Formats
import Foundation
import Models
import Tensor

/// The linear head that a classifier was trained with, and the names of its classes.
public struct OwnHead: Sendable {
  /// The names of the classes, in the order of the logits.
  public private(set) var classes: [String]
  /// True if each class has a probability of its own, a sigmoid, as `config.json` says.
  public let isMultiLabel: Bool
  /// The tower whose features it reads: that of the model, or its form with two vectors.
  public let tower: any ImageTower
  private let weight: Tensor
  private let bias: Tensor?

  /// The head of a classifier; `nil` if its checkpoint has none.
  ///
  /// The names are `id2label` of a Hugging Face `config.json`, or `label2id` without it, or `label_names` of timm's;
  /// without any they are `class 0`, `class 1`, ….
  /// - url: of the model's folder, or of its file, next to which nothing is known to belong to it.
  /// - Throws: `ConfigurationError` for names that are not those of the head.
  public init?(of model: any PretrainedModel, at url: URL) throws {
    guard let trained = (model as? PretrainedClassifier)?.backbone.trained else { return nil }
    (tower, weight, bias) = (trained.tower, trained.head.weight.value, trained.head.bias?.value)
    let stated = try StatedClasses(nextTo: url, count: weight.shape[0])
    (classes, isMultiLabel) = (stated.names, stated.isMultiLabel)
  }

  /// The head as a classifier of features.
  public var head: any Head { FixedLinearHead(weight: weight, bias: bias) }

  /// The same head with other names.
  ///
  /// - Throws: `RunError` for another number of names.
  public func named(_ names: [String]) throws(RunError) -> OwnHead {
    guard names.count == classes.count else {
      throw RunError(
        "classes: expected \(classes.count) names, those of the model's own head in its order, found \(names.count)")
    }
    var result = self
    result.classes = names
    return result
  }

  /// The same head with its classes in the order of others.
  ///
  /// - Throws: `RunError` where these are not the same classes, each once.
  public func ordered(as names: [String]) throws(RunError) -> OwnHead {
    let rows = names.map { name in classes.indices.filter { classes[$0] == name } }
    guard names.count == classes.count, rows.allSatisfy({ $0.count == 1 }), Set(rows).count == rows.count else {
      throw RunError(
        "expected data of the \(classes.count) classes of the model's own head (\(Self.shown(classes))), "
          + "found \(names.count) (\(Self.shown(names)))")
    }
    return OwnHead(self, rows: rows.map { $0[0] })
  }

  private init(_ whole: OwnHead, rows: [Int]) {
    let (width, values, biases) = (whole.weight.shape[1], whole.weight.values, whole.bias?.values)
    classes = rows.map { whole.classes[$0] }
    (tower, isMultiLabel) = (whole.tower, whole.isMultiLabel)
    weight = Tensor([rows.count, width], rows.flatMap { values[$0 * width..<($0 + 1) * width] })
    bias = biases.map { biases in Tensor([rows.count], rows.map { biases[$0] }) }
  }

  private static func shown(_ names: [String]) -> String {
    names.prefix(3).joined(separator: ", ") + (names.count > 3 ? ", …" : "")
  }
}

/// What a `config.json` says about the classes of a head.
private struct StatedClasses {
  private(set) var names: [String]
  private(set) var isMultiLabel = false

  init(nextTo url: URL, count: Int) throws {
    names = (0..<count).map { "class \($0)" }
    isMultiLabel = count == 1
    let file = url.appendingPathComponent("config.json")
    guard FileManager.default.fileExists(atPath: file.path) else { return }
    let stated = try StatedKeys(contentsOf: file)
    func error(_ key: String, _ found: String) -> ConfigurationError {
      ConfigurationError("\(file.shown): \(key): expected \(count) names, those of the head's classes, found \(found)")
    }
    if let labels = stated.value("id2label") {
      guard let labels = labels.object else { throw error("id2label", "no object") }
      let found = (0..<count).compactMap { labels["\($0)"]?.string }
      guard found.count == count, labels.count == count else { throw error("id2label", "\(labels.count)") }
      names = found
    } else if let labels = stated.value("label2id") {
      guard let labels = labels.object else { throw error("label2id", "no object") }
      // Indices may be numbers or text.
      let indices = labels.mapValues { $0.number.flatMap { Int(exactly: $0) } ?? $0.string.flatMap { Int($0) } ?? -1 }
      guard labels.count == count, Set(indices.values) == Set(0..<count) else {
        throw error("label2id", "other indices than 0 to \(count - 1), each once")
      }
      names = indices.sorted { $0.value < $1.value }.map(\.key)
    } else if let labels = stated.value("label_names") {
      let found = labels.list?.compactMap(\.string) ?? []
      guard found.count == count, labels.list?.count == count else {
        throw error("label_names", labels.list.map { "\($0.count)" } ?? "no list")
      }
      names = found
    }
    // One class is yes or no, as it is for transformers: the softmax of one logit says nothing.
    isMultiLabel = count == 1 || stated.value("problem_type") == "multi_label_classification"
  }
}
