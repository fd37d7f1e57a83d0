import Datasets
import Formats
import Foundation
import Models
import Tensor

/// What a method's authors keep of a tuned model, in a checkpoint of their own.
///
/// Such a file names neither model nor classes nor prompts: whoever reads it says for which.
/// `MethodList.publishedDeltas` lists the forms that are known.
protocol PublishedDelta: Sendable {
  /// The kind of file, for a report on its contents.
  static var kind: String { get }

  /// Whether a checkpoint has this form.
  static func recognises(_ file: TorchFile) -> Bool

  /// A few words about each of its entries.
  static func summary(of file: TorchFile) -> [String: String]

  /// Reads what was tuned into a delta that has only a description.
  ///
  /// - Throws: `DeltaError` for a checkpoint that does not fit the tower.
  static func read(_ file: TorchFile, for tower: any ImageTower, into delta: inout Delta) throws
}

/// A checkpoint in the form of a method's authors.
public struct PublishedCheckpoint: Sendable {
  /// The file.
  public let file: TorchFile
  private let form: any PublishedDelta.Type

  /// The checkpoint in a file; `nil` for another file.
  public init?(_ file: any WeightFile) {
    guard let torch = file as? TorchFile,
      let form = MethodList.publishedDeltas.first(where: { $0.recognises(torch) })
    else { return nil }
    (self.file, self.form) = (torch, form)
  }

  /// The checkpoint at a URL; `nil` for another file, or none.
  public init?(at url: URL) {
    guard let file = try? WeightFiles.open(url) else { return nil }
    self.init(file)
  }

  /// The kind of file.
  public var kind: String { form.kind }

  /// A few words about each of its entries.
  public var summary: [String: String] { form.summary(of: file) }

  /// The delta of a model, for classes and prompts that the checkpoint does not name.
  ///
  /// - Throws: `DeltaError` for a checkpoint that does not fit the model.
  public func delta(of model: any PretrainedModel, classes: [String], templates: [String]) throws -> Delta {
    var delta = Delta(
      Delta.Description(
        method: "", model: model.sha256, classes: classes, templates: templates, ensembling: .rawMean,
        cleaning: TextCleaning.published.rawValue, alpha: nil))
    try form.read(file, for: model.tower, into: &delta)
    return delta
  }
}
