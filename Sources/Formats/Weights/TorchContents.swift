import Tensor

/// The tensors and plain values of a PyTorch checkpoint, by name.
///
/// A checkpoint may be a tensor, a dictionary of tensors (a state dictionary), one that also holds values of other
/// kinds, or a module of TorchScript, whose attributes are its tensors:
///
///     tensor                                  the name of the file
///     {"a": tensor, "b": {"c": tensor}}       a, b.c
///     {"state_dict": {"a": tensor}, "epoch": 3, …}     a, and the value epoch; likewise with other `stateKeys`
///     {"module.a": tensor, "module.b": …}     a, b: the prefix of data-parallel training, where all names have it
struct TorchContents {
  private(set) var tensors: [String: PickleGraph.Tensor] = [:]
  /// Everything other than tensors, by path.
  private(set) var values: [String: PythonValue] = [:]

  /// What a reader should know: averaged weights that were preferred.
  private(set) var notes: [String] = []

  /// The keys under which training scripts keep the state dictionary, in order of preference: first the moving average
  /// of the weights, as timm's `load_checkpoint` does.
  static let stateKeys = averageKeys + ["state_dict", "model_state_dict", "model"]
  private static let averageKeys = ["state_dict_ema", "model_ema"]

  private let graph: PickleGraph
  /// The number of dictionary members that may still be visited: shared ones are visited at every occurrence.
  private var visits = 1 << 20
  /// The number of bytes of names that may still be made.
  private var nameBytes = 1 << 26

  private static let depthLimit = 64

  init(_ root: PickleValue, in graph: PickleGraph, tensorName: String) throws(FormatProblem) {
    self.graph = graph
    if case .tensor(let node) = root {
      tensors = [tensorName: graph.tensors[node]]
      return
    }
    guard var state = try members(of: root) else {
      throw FormatProblem(expected: "a tensor, a dictionary or a module", found: root.kind)
    }
    for _ in 0..<Self.depthLimit {
      guard
        let key = Self.stateKeys.first(where: { key in state.contains { $0.name == key && isFilled($0.value) } }),
        let inner = state.last(where: { $0.name == key }), let members = try members(of: inner.value)
      else { break }
      if Self.averageKeys.contains(key) {
        let other = Self.stateKeys.first { name in name != key && state.contains { $0.name == name } }
        notes.append(
          "\(quoted(key)): the moving average of the weights is read"
            + (other.map { ", not \(quoted($0))" } ?? ", the only ones"))
      }
      // The optimiser's tensors and the like are not the model's.
      for member in state where member.name != key { try addSummary(member.name, member.value) }
      state = members
    }
    for member in state { try add(member.name, member.value, depth: 0) }
    let prefix = "module."
    if !tensors.isEmpty, tensors.keys.allSatisfy({ $0.hasPrefix(prefix) && $0.utf8.count > prefix.utf8.count }) {
      tensors = Dictionary(uniqueKeysWithValues: tensors.map { (String($0.dropFirst(prefix.count)), $1) })
    }
  }

  private typealias Member = (name: String, value: PickleValue)

  /// The members of a dictionary or the attributes of an object; if a key was set twice, the last one.
  ///
  /// Keys that Python tells apart but a name does not (0 and "0", é composed and decomposed) are refused.
  private mutating func members(of value: PickleValue) throws(FormatProblem) -> [Member]? {
    guard let node = dictionary(value) else { return nil }
    visits -= graph.pairs[node].count
    guard visits >= 0 else { throw FormatProblem(expected: "at most 2^20 members of dictionaries", found: "more") }
    var members: [Member] = []
    var index: [String: (position: Int, isText: Bool)] = [:]
    for pair in graph.pairs[node] {
      let text: String? = if case .string(let text) = pair.key { text } else { nil }
      let (name, isText) = (text ?? describe(pair.key), text != nil)
      if let known = index[name] {
        guard known.isText == isText, members[known.position].name.utf8.elementsEqual(name.utf8) else {
          throw FormatProblem(expected: "each name once", found: "\(quoted(name)) twice")
        }
        members[known.position].value = pair.value
      } else {
        index[name] = (members.count, isText)
        members.append((name, pair.value))
      }
    }
    return members
  }

  private func dictionary(_ value: PickleValue) -> PickleGraph.Node? {
    switch value {
    case .dictionary(let node): return node
    case .object(let node):
      if case .dictionary(let state) = graph.objects[node].state { return state }
      return nil
    default: return nil
    }
  }

  /// Returns whether a value is a dictionary, or an object with attributes, that is not empty.
  private func isFilled(_ value: PickleValue) -> Bool { dictionary(value).map { !graph.pairs[$0].isEmpty } ?? false }

  private mutating func charge(_ name: String) throws(FormatProblem) {
    nameBytes -= name.utf8.count
    guard nameBytes >= 0 else { throw FormatProblem(expected: "at most 2^26 bytes of names", found: "more") }
  }

  private mutating func add(_ name: String, _ value: PickleValue, depth: Int) throws(FormatProblem) {
    try charge(name)
    if case .tensor(let node) = value {
      guard tensors.updateValue(graph.tensors[node], forKey: name) == nil else {
        throw FormatProblem(expected: "each name once", found: "\(quoted(name)) twice")
      }
      return
    }
    guard let members = try members(of: value) else {
      values[name] = plain(value)
      return
    }
    guard depth < Self.depthLimit else {
      throw FormatProblem(expected: "at most \(Self.depthLimit) nested dictionaries", found: "more")
    }
    for member in members { try add("\(name).\(member.name)", member.value, depth: depth + 1) }
  }

  /// A member next to the state dictionary: its value if it is plain, else a description.
  private mutating func addSummary(_ name: String, _ value: PickleValue) throws(FormatProblem) {
    try charge(name)
    values[name] = plain(value)
  }

  private func plain(_ value: PickleValue) -> PythonValue {
    switch value {
    case .none: .none
    case .bool(let value): .bool(value)
    case .integer(let value): .integer(value)
    case .largeInteger(let bytes): .largeInteger(PythonValue.decimal(bytes))
    case .number(let value): .number(value)
    case .string(let value): .string(value)
    case .bytes(let value): .bytes(value)
    default: .other(describe(value))
    }
  }

  /// A value in Python's notation, truncated if long or deep.
  private func describe(_ value: PickleValue) -> String {
    var room = PythonValue.limit
    return describe(value, depth: 0, &room)
  }

  private func describe(_ value: PickleValue, depth: Int, _ room: inout Int) -> String {
    func items(_ node: PickleGraph.Node, _ open: String, _ close: String) -> String {
      let items = graph.items[node]
      var shown: [String] = []
      for item in items {
        guard room > 0, depth < 4 else {
          shown.append("…")
          break
        }
        shown.append(describe(item, depth: depth + 1, &room))
      }
      return open + shown.joined(separator: ", ") + (open == "(" && items.count == 1 ? "," : "") + close
    }
    let text: String
    switch value {
    case .list(let node): return items(node, "[", "]")
    case .tuple(let node): return items(node, "(", ")")
    case .set(let node): return graph.items[node].isEmpty ? "set()" : items(node, "{", "}")
    case .dictionary(let node): text = "dictionary of \(graph.pairs[node].count)"
    case .object(let node):
      let object = graph.objects[node]
      if case .tuple(let arguments) = object.state { return object.name + items(arguments, "(", ")") }
      text = "object of \(object.name)"
    case .storage(let node): text = "storage of \(graph.storages[node].count)"
    case .tensor(let node):
      text = "tensor \(graph.tensors[node].type.rawValue) \(graph.tensors[node].extents.prefix(8))"
    case .global(let global): text = global.name
    default: text = plain(value).description
    }
    room -= text.count
    return text
  }
}
