import Formats
import Models
import Tensor

/// What one kind of tuning keeps in a delta: how its tensors are read, checked, used and merged.
///
/// A folder that stores something in deltas has one; `MethodList.deltaParts` lists them.
protocol DeltaPart: Sendable {
  /// Reads a tensor of a form of its own; whether it was one.
  ///
  /// - shapes: of the tensors of the image tower, by site.
  static func read(
    _ entry: DeltaEntry, from file: SafeTensorsFile, shapes: [String: Shape], into delta: inout Delta
  ) throws -> Bool

  /// The shapes of the plain tensors that may be or must be there.
  static func expected(in delta: Delta, shapes: [String: Shape], featureWidth: Int) -> [String: DeltaShape]

  /// Refuses tensors that do not fit each other, or the tower.
  static func check(_ delta: Delta, on tower: any ImageTower, file: String) throws(DeltaError)

  /// What a refused tensor of the part should have been; `nil` for the general words.
  static func expectation(of entry: DeltaEntry, in delta: Delta, featureWidth: Int) -> (
    expected: String, found: String
  )?

  /// How the delta forms the output of a site; `nil` where it leaves it alone.
  static func tuning(of parameter: Parameter, in delta: Delta) -> StoredTuning?

  /// The tunings of sites that are no tensors of the tower.
  static func added(to tower: any ImageTower, from delta: Delta) -> [Site: StoredTuning]

  /// The head of the delta; `nil` where it has none of this kind.
  static func head(of delta: Delta, text: (features: Tensor, logitScale: Parameter)?) -> (any Head)?

  /// The name of its rows of a classifier, one per class, if features of texts can stand beside them.
  static var rowsBesideTexts: String? { get }

  /// Whether the delta's classifier is made of prompts that other names can stand in.
  static func meetsNewClasses(_ delta: Delta) -> Bool

  /// The features of such prompts with the names of other classes, [classes, embedding], and the name of the tensor
  /// whose place they take; `nil` for a delta without.
  ///
  /// - Throws: `SettingError` for prompts that do not fit the text tower.
  static func textRows(
    of delta: Delta, for prompts: PromptEncoder
  ) throws(SettingError) -> (name: String, rows: Tensor)?

  /// The head of the delta that encodes prompts of the classes itself; `nil` where it has none of this kind.
  ///
  /// - Throws: `SettingError` for prompts that do not fit the text tower.
  static func head(
    of delta: Delta, text: (features: Tensor, logitScale: Parameter), prompts: PromptEncoder
  ) throws(SettingError) -> (any Head)?

  /// Refuses what belongs to no weight.
  static func checkMerging(_ delta: Delta) throws(ExportError)

  /// The tensor of a site once the delta is part of it; `nil` where the delta leaves it alone.
  ///
  /// - Throws: `ExportError` for what no weight can hold.
  static func merged(into parameter: Parameter, from delta: Delta) throws(ExportError) -> Tensor?

  /// The tensors of sites once the delta is part of them, by site; `merged(into:from:)` of each, unless those of a map
  /// depend on each other.
  ///
  /// - Throws: `ExportError` for what no weight can hold.
  static func merged(into parameters: [Parameter], from delta: Delta) throws(ExportError) -> [String: Tensor]

  /// The tensors of a new head as a model stores them; refuses a head that belongs to no weight.
  static func mergedHead(of delta: Delta) throws(ExportError) -> [(site: String, value: Tensor)]
}

extension DeltaPart {
  static func read(
    _ entry: DeltaEntry, from file: SafeTensorsFile, shapes: [String: Shape], into delta: inout Delta
  ) throws -> Bool { false }
  static func expected(in delta: Delta, shapes: [String: Shape], featureWidth: Int) -> [String: DeltaShape] { [:] }
  static func check(_ delta: Delta, on tower: any ImageTower, file: String) throws(DeltaError) {}
  static func expectation(
    of entry: DeltaEntry, in delta: Delta, featureWidth: Int
  ) -> (expected: String, found: String)? { nil }
  static func tuning(of parameter: Parameter, in delta: Delta) -> StoredTuning? { nil }
  static func added(to tower: any ImageTower, from delta: Delta) -> [Site: StoredTuning] { [:] }
  static func head(of delta: Delta, text: (features: Tensor, logitScale: Parameter)?) -> (any Head)? { nil }
  static var rowsBesideTexts: String? { nil }
  static func meetsNewClasses(_ delta: Delta) -> Bool { false }
  static func textRows(
    of delta: Delta, for prompts: PromptEncoder
  ) throws(SettingError) -> (name: String, rows: Tensor)? { nil }
  static func head(
    of delta: Delta, text: (features: Tensor, logitScale: Parameter), prompts: PromptEncoder
  ) throws(SettingError) -> (any Head)? { nil }
  static func checkMerging(_ delta: Delta) throws(ExportError) {}
  static func merged(into parameter: Parameter, from delta: Delta) throws(ExportError) -> Tensor? { nil }
  static func merged(into parameters: [Parameter], from delta: Delta) throws(ExportError) -> [String: Tensor] {
    var merged: [String: Tensor] = [:]
    for parameter in parameters { merged[parameter.site.name] = try Self.merged(into: parameter, from: delta) }
    return merged
  }
  static func mergedHead(of delta: Delta) throws(ExportError) -> [(site: String, value: Tensor)] { [] }
}

/// The shape that a tensor of a delta must have; an extent of `nil` may be any from 1.
struct DeltaShape: CustomStringConvertible {
  let extents: [Int?]
  var isRequired = true

  /// As a shape is written: `[3, any]`.
  var description: String { "[" + extents.map { $0.map { "\($0)" } ?? "any" }.joined(separator: ", ") + "]" }

  func accepts(_ shape: Shape) -> Bool {
    shape.rank == extents.count && zip(shape.extents, extents).allSatisfy { $1 == nil ? $0 > 0 : $0 == $1 }
  }
}
