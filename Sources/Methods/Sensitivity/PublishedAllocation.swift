import Formats
import Foundation
import Models
import Tensor

/// An allocation as SPT's authors ship it, `param_req_0.4.pth`: a dictionary that `torch.save` wrote.
///
/// | key | value |
/// | --- | --- |
/// | `tuned_matrices` | one list per block: 1 where query, key, value, output and the MLP's two maps get a module |
/// | `tuned_vectors` | the names of the vectors that are tuned whole |
/// | `unstructured_name_shapes` | the shapes of all other ranked tensors by name, in their order |
/// | `unstructured_indexes` | the tuned entries, ascending, as indices in these tensors one after another |
/// | `structured_params` | the elements of modules and vectors |
///
/// `params` and `unstructured_params` are counts too, and `unstructured_name_shapes_int` the sizes of the shapes; none
/// of them is needed. Names are those of timm with query, key and value apart: `blocks.0.attn.q.weight`.
struct PublishedAllocation {
  let sha256: String
  private let file: String
  private let matrices: [[Int]]
  private let vectors: [String]
  private let shapes: [(name: String, extents: [Int])]
  private let indices: [Int]
  private let structured: Int?

  private static let operations: [Site.Role] = [.query, .key, .value, .attentionOutput, .mlpUp, .mlpDown]

  init(_ url: URL) throws {
    let torch = try TorchFile(contentsOf: url)
    let object = try torch.object()
    (file, sha256) = (torch.file, torch.sha256.description)
    func required<Value>(
      _ key: String, _ expected: String, _ read: (PythonObject) -> Value?
    ) throws(AllocationError) -> Value {
      guard let found = object[key] else {
        throw AllocationError(torch.file, expected: "an allocation with \"\(key)\"", found: "none of that name")
      }
      guard let value = read(found) else {
        throw AllocationError(torch.file, expected: "\(key) as \(expected)", found: found.kind)
      }
      return value
    }
    matrices = try required("tuned_matrices", "six zeros and ones for each block") { value in
      Self.all(value.items) { block in
        Self.all(block.items) { $0.integer.flatMap { 0...1 ~= $0 ? $0 : nil } }
          .flatMap { $0.count == Self.operations.count ? $0 : nil }
      }
    }
    vectors = try required("tuned_vectors", "names") { Self.all($0.items) { $0.string } }
    shapes = try required("unstructured_name_shapes", "shapes by name") { value in
      Self.all(value.pairs) { pair in
        guard let name = pair.key.string, let extents = Self.all(pair.value.items, { $0.integer }) else { return nil }
        return (name, extents)
      }
    }
    try required("unstructured_indexes", "a tensor of indices") { $0 == .tensor ? () : nil }
    indices = try torch.integers("unstructured_indexes").map { Int($0) }
    structured = object["structured_params"]?.integer
  }

  /// All values that the elements become, or `nil` where one becomes none.
  private static func all<Element, Value>(_ elements: [Element]?, _ read: (Element) -> Value?) -> [Value]? {
    guard let elements else { return nil }
    let values = elements.compactMap(read)
    return values.count == elements.count ? values : nil
  }

  private func wrong(_ expected: String, _ found: String) -> AllocationError {
    AllocationError(file, expected: expected, found: found)
  }

  /// The allocation on the sites of a tower, with modules under the given rules.
  func choice(
    _ rules: Allocation.Rules, _ sites: [SensitivitySite], classToken: Int
  ) throws(AllocationError) -> AllocationFile.Choice {
    var index: [String: Int] = [:]
    for (number, site) in sites.enumerated() { index[Self.name(of: site.parameter.site)] = number }
    let modules = try modules(sites)
    var whole: Set<Int> = []
    for name in vectors {
      guard let number = index[name], case .vector = sites[number].kind else {
        throw wrong("tuned_vectors of norms and biases of the model", "\"\(name)\"")
      }
      guard whole.insert(number).inserted else { throw wrong("each vector once", "\"\(name)\" twice") }
    }
    let positions = try positions(sites, index, apart: whole.union(modules))
    try checkStructured(modules, whole, sites, rules)
    let allocation = Allocation(
      threshold: 0, modules: modules, vectors: whole.sorted(), entries: positions.map(\.count),
      kinds: sites.map(\.kind),
      classToken: classToken, rules)
    return AllocationFile.Choice(allocation: allocation, positions: positions)
  }

  /// The ascending indices of the matrices with modules.
  private func modules(_ sites: [SensitivitySite]) throws(AllocationError) -> [Int] {
    let blocks = (sites.compactMap(\.parameter.site.block).max() ?? -1) + 1
    guard matrices.count == blocks else {
      throw wrong("tuned_matrices of the model's \(blocks) blocks", "\(matrices.count)")
    }
    var modules: [Int] = []
    for (number, site) in sites.enumerated() {
      guard let block = site.parameter.site.block,
        let operation = Self.operations.firstIndex(of: site.parameter.site.role), matrices[block][operation] == 1
      else { continue }
      modules.append(number)
    }
    guard modules.count == matrices.joined().reduce(0, +) else {
      throw wrong("modules at maps that the model has", "others")
    }
    return modules
  }

  /// The tuned entries of each site.
  private func positions(
    _ sites: [SensitivitySite], _ index: [String: Int], apart: Set<Int>
  ) throws(AllocationError) -> [[Int32]] {
    var positions = [[Int32]](repeating: [], count: sites.count)
    var seen = apart
    var (first, next) = (0, 0)
    for (name, extents) in shapes {
      guard let number = index[name] else { throw wrong("shapes of tensors that are ranked", "\"\(name)\"") }
      guard seen.insert(number).inserted else { throw wrong("each tensor once", "\"\(name)\" twice") }
      let shape = sites[number].parameter.value.shape
      guard shape.extents == extents else { throw wrong("\"\(name)\" of shape \(shape.extents)", "\(extents)") }
      let end = first + shape.count
      while next < indices.count, indices[next] < end {
        guard indices[next] >= first, next == 0 || indices[next] > indices[next - 1] else {
          throw wrong("ascending unstructured_indexes", "\(indices[next])")
        }
        positions[number].append(Int32(indices[next] - first))
        next += 1
      }
      first = end
    }
    guard next == indices.count else {
      throw wrong("unstructured_indexes below \(first), the elements of its tensors", "\(indices[next])")
    }
    return positions
  }

  /// Checks the count of structured parameters, which depends on the modules' rank and form. The authors' script of
  /// SPT-Adapter trains adapters where an allocation for LoRA has modules: both forms will do.
  private func checkStructured(
    _ modules: [Int], _ vectors: Set<Int>, _ sites: [SensitivitySite], _ rules: Allocation.Rules
  ) throws(AllocationError) {
    guard let structured else { return }
    let totals = StructuredForm.allCases.map { form in
      (modules + vectors).reduce(0) { sum, number in
        switch sites[number].kind {
        case .vector(let length): sum + length
        case .matrix(let out, let width): sum + form.cost(out: out, in: width, rank: rules.rank)
        }
      }
    }
    guard !totals.contains(structured) else { return }
    let known = Set(totals).sorted().map { "\($0)" }.joined(separator: " or ")
    throw wrong("structured_params \(known), with modules of rank \(rules.rank)", "\(structured)")
  }

  /// The authors' name of a ranked tensor: `blocks.0.attn.q.weight` for `vision.blocks.0.attention.query`.
  static func name(of site: Site) -> String {
    var words = site.name.split(separator: ".").map(String.init)
    if words.first == "vision" { words.removeFirst() }
    var name = words.joined(separator: ".")
    for (own, theirs) in names { name = name.replacing(own, with: theirs) }
    return name.hasSuffix(".weight") || name.hasSuffix(".bias") ? name : name + ".weight"
  }

  private static let names = [
    ("attentionNorm", "norm1"), ("mlpNorm", "norm2"), ("postNorm", "norm"), ("pooledNorm", "fc_norm"),
    ("preNorm", "norm_pre"), ("attention.query", "attn.q"), ("attention.key", "attn.k"), ("attention.value", "attn.v"),
    ("attention.output", "attn.proj"), ("mlp.up", "mlp.fc1"), ("mlp.down", "mlp.fc2"), (".scale", ".weight"),
    (".shift", ".bias"),
  ]
}
