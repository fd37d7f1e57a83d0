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
struct DeltaShape {
  let extents: [Int?]
  var isRequired = true

  func accepts(_ shape: Shape) -> Bool {
    shape.rank == extents.count && zip(shape.extents, extents).allSatisfy { $1 == nil ? $0 > 0 : $0 == $1 }
  }
}

/// How a site was tuned once and for all.
enum StoredTuning: Sendable {
  /// Another tensor in place of the frozen one.
  case replaced(Tensor)
  /// What is added to some of its entries.
  case shifted(Tensor, SparseIndices)
  /// A branch of the form, by its maps and their biases.
  case branched(Branch.Form, down: Tensor, downBias: Tensor?, up: Tensor, upBias: Tensor?)
  /// Factors of its channels, and what is then added.
  case scaled(Tensor, Tensor?)
  /// Tokens that join the sequence before a block.
  case prompted(Tensor)
  /// A bottleneck parallel to an MLP: its maps and their biases, and its scale.
  case parallel([Tensor], scale: Real)
  /// A linear bottleneck between a norm and the maps that read it: its maps and their biases, and its scale.
  case adapted([Tensor], scale: Real)
  /// A bottleneck with a convolution parallel to an attention or MLP: its maps, kernel and their biases, its scale, and
  /// the tokens.
  case bypassed([Tensor], scale: Real, TokenGrid)
  /// A low-rank update of a map: U, Σ and V, and its scale.
  case factored(down: Tensor, core: Tensor, up: Tensor, scale: Real)

  /// The tuning of a pass.
  var tuning: Tuning {
    switch self {
    case .replaced(let value): .replaced(Variable(value))
    case .shifted(let entries, let indices): .shifted(by: Variable(entries), at: indices)
    case .scaled(let factors, let offsets): .scaled(by: Variable(factors), adding: offsets.map { Variable($0) })
    case .prompted(let prompts): .prompted(by: Variable(prompts), dropout: 0)
    case .parallel(let parts, let scale):
      .parallel(
        ParallelBottleneck(
          down: Variable(parts[0]), downBias: Variable(parts[1]), up: Variable(parts[2]), upBias: Variable(parts[3]),
          scale: scale, dropout: 0))
    case .adapted(let parts, let scale):
      .adapted(InputAdapter(parts.map { Variable($0) }, scale: scale, dropout: 0))
    case .factored(let down, let core, let up, let scale):
      .factored(
        FactoredUpdate(
          down: Variable(down), core: Variable(core), up: Variable(up), scale: scale, dropout: 0, dropoutSite: 0))
    case .bypassed(let parts, let scale, let grid):
      .bypassed(ConvolutionalBypass(parts.map { Variable($0) }, scale: scale, dropout: 0, grid: grid))
    case .branched(let form, let down, let downBias, let up, let upBias):
      .branched(
        Branch(
          down: Variable(down), downBias: downBias.map { Variable($0) }, up: Variable(up),
          upBias: upBias.map { Variable($0) }, form: form))
    }
  }
}
