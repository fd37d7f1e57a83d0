import Formats
import Models
import Tensor

/// The tensors of a PEFT adapter, brought to the sites of a model.
struct AdapterReader {
  /// The names of A and B of a module.
  struct Pair {
    var a, b: String?

    subscript(side: Character) -> String? {
      get { side == "A" ? a : b }
      set { if side == "A" { a = newValue } else { b = newValue } }
    }
  }

  /// The sites of a module, in the order of their rows.
  private struct Module {
    var sites: [(parameter: Parameter, name: ModuleName)] = []
    var shape: Shape { sites[0].parameter.value.shape }

    init() {}

    init(ofHead head: Linear, _ path: String) {
      sites = [(head.weight, ModuleName(path: path, part: nil, parts: 1, isConvolution: false))]
    }
  }

  private let file: any WeightFile
  private let layout: WeightLayout
  private let featureWidth: Int
  /// By the essence of their paths, in the names of the checkpoint and in those of every version of transformers.
  private var modules: [String: Module] = [:]
  private var head: String?
  /// The head that the model was trained with.
  let own: Linear?

  init(_ model: any PretrainedModel, _ file: any WeightFile) {
    (self.file, layout, featureWidth) = (file, model.layout, model.tower.featureWidth)
    own = (model as? PretrainedClassifier)?.backbone.head
    for version in TransformersVersion.allCases {
      var found: [String: Module] = [:]
      for parameter in model.towers.parameters where parameter.value.shape.rank == 2 {
        guard let name = layout.module(of: parameter.site.name, in: version) else { continue }
        found[WeightLayout.essence(of: name.path), default: Module()].sites.append((parameter, name))
      }
      for (path, var module) in found {
        module.sites.sort { ($0.name.part ?? 0) < ($1.name.part ?? 0) }
        modules[path] = module
      }
    }
    head = model.clip == nil ? layout.module(of: "head").map { WeightLayout.essence(of: $0.path) } : nil
  }

  /// The path of the module and the factor, A or B, that a tensor is; `nil` for any other.
  ///
  /// The name of the adapter, `default`, is in files that were not written by `save_pretrained`.
  static func factor(_ name: String) -> (path: String, side: Character)? {
    for side in ["A", "B"] as [Character] {
      for end in [".lora_\(side).weight", ".lora_\(side).default.weight"] where name.hasSuffix(end) {
        return (path(String(name.dropLast(end.count))), side)
      }
    }
    return nil
  }

  private static func path(_ name: String) -> String {
    name.hasPrefix(PEFTAdapter.prefix) ? String(name.dropFirst(PEFTAdapter.prefix.count)) : name
  }

  /// Which tensor of a linear head one is; `nil` for any other.
  func headEntry(_ name: String) -> DeltaEntry? {
    guard let head else { return nil }
    let path = WeightLayout.essence(of: Self.path(name)).replacing(".modules_to_save.default", with: "")
    return [("weight", DeltaEntry.headWeight), ("bias", .headBias)].first { path == "\(head).\($0.0)" }?.1
  }

  /// Whether a tensor is that of a second head, which has to be the same as the first.
  ///
  /// - Throws: `DeltaError` where it is another.
  func isOtherHead(_ name: String) throws -> Bool {
    guard layout.hasTwoHeads else { return false }
    for first in file.names where headEntry(first) != nil {
      guard layout.otherHead(of: first) == name else { continue }
      guard try file.tensor(first) == file.tensor(name) else {
        throw DeltaError(
          "\(file.file): \(name)", expected: "the values of \(first), as the features are the mean of two tokens",
          found: "others")
      }
      return true
    }
    return false
  }

  /// A tensor of the head, checked.
  func head(_ name: String, _ entry: DeltaEntry, classes: Int) throws -> Tensor {
    let width = layout.headReadsPatches ? 2 * featureWidth : featureWidth
    let expected: Shape = entry == .headWeight ? [classes, width] : [classes]
    guard let shape = file.shape(of: name), shape == expected else {
      throw DeltaError(
        "\(file.file): \(name)", expected: "shape \(expected), for \(classes) classes",
        found: file.shape(of: name).map { "\($0)" } ?? "none")
    }
    let stored = try file.tensor(name)
    guard entry == .headWeight else { return stored }
    guard let used = layout.usedHead(stored, width: featureWidth) else {
      throw DeltaError(
        "\(file.file): \(name)", expected: "a head on the class token, with zeros for the mean of the patches",
        found: "one that reads the patches too, which is not supported")
    }
    return used
  }

  /// Whether a path is that of the linear head.
  func isHead(_ path: String) -> Bool { WeightLayout.essence(of: path) == head }

  /// The model's own head with low-rank factors added: W + s U D; `nil` if it has none.
  func tunedHead(_ factors: (down: Tensor, up: Tensor), _ scale: Real) -> (weight: Tensor, bias: Tensor)? {
    guard let own else { return nil }
    let scaled = Tensor(factors.up.shape, factors.up.values.map { $0 * scale })
    let sum = Variable(scaled).linear(Variable(factors.down.transposed())).value
    let weight = Tensor(sum.shape, zip(sum.values, own.weight.value.values).map { $0 + $1 })
    return (weight, own.bias?.value ?? .zeros([sum.shape[0]]))
  }

  func refusal(_ name: String) -> DeltaError {
    DeltaError(
      "\(file.file): \(name)", expected: "low-rank factors of linear maps of the image tower and its linear head",
      found: "a tensor that is none of them")
  }

  /// D and U of a module as they are stored, checked against its map.
  func factors(_ path: String, _ pair: Pair) throws -> (down: Tensor, up: Tensor) {
    guard let a = pair.a, let b = pair.b else {
      throw DeltaError("\(file.file): \(path)", expected: "lora_A and lora_B", found: "one of them")
    }
    let headModule = isHead(path) ? own.map { Module(ofHead: $0, path) } : nil
    guard let module = modules[WeightLayout.essence(of: path)] ?? headModule else {
      throw DeltaError(
        "\(file.file): \(a)",
        expected: "a linear map of the image tower under the names of \(layout.name)", found: "none of this name")
    }
    let (shape, name) = (module.shape, module.sites[0].name)
    var (down, up) = (try file.tensor(a), try file.tensor(b))
    let rank = down.shape.extents.first ?? 0
    let wide: Shape = name.isConvolution ? [rank, shape[1] / 4, 2, 2] : [rank, shape[1]]
    let tall: Shape = name.isConvolution ? [shape[0], rank, 1, 1] : [name.parts * shape[0], rank]
    for (found, expected, key) in [(down, wide, a), (up, tall, b)] {
      guard found.shape == expected, rank > 0 else {
        throw DeltaError("\(file.file): \(key)", expected: "shape \(expected)", found: "\(found.shape)")
      }
    }
    for (tensor, key) in [(down, a), (up, b)] where !tensor.values.allSatisfy(\.isFinite) {
      throw DeltaError("\(file.file): \(key)", expected: "finite numbers", found: "others")
    }
    if name.isConvolution { (down, up) = (WeightLayout.map(down), up.reshaped(to: [shape[0], rank])) }
    return (down, up)
  }

  /// The branches of the sites of a module: of stacked maps each has its rows of U, without columns of zeros.
  ///
  /// - scale: becomes part of U.
  func parts(
    _ path: String, _ factors: (down: Tensor, up: Tensor), scale: Real
  ) throws -> [(site: String, down: Tensor, up: Tensor)] {
    guard let module = modules[WeightLayout.essence(of: path)] else { return [] }
    let (rank, width) = (factors.down.shape[0], factors.down.shape[1])
    let (a, b) = (factors.down.values, factors.up.values.map { $0 * scale })
    return module.sites.compactMap { parameter, name -> (site: String, down: Tensor, up: Tensor)? in
      let (site, out) = (parameter.site.name, parameter.value.shape[0])
      guard let part = name.part else { return (site, factors.down, Tensor([out, rank], b)) }
      let rows = part * out..<(part + 1) * out
      // A column of zeros adds nothing: so the branches of other maps of the stack are written.
      let columns = (0..<rank).filter { column in rows.contains { b[$0 * rank + column] != 0 } }
      guard !columns.isEmpty else { return nil }
      let down = columns.flatMap { a[$0 * width..<($0 + 1) * width] }
      let up = rows.flatMap { row in columns.map { b[row * rank + $0] } }
      return (site, Tensor([columns.count, width], down), Tensor([out, columns.count], up))
    }
  }
}
