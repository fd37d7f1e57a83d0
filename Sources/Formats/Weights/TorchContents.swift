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

  /// Names of moving averages that timm does not read.
  private static let unreadAverages = ["ema", "ema_model", "ema_state_dict", "model_ema_state_dict", "teacher_ema"]

  private let graph: PickleGraph
  /// What may still be made: shared dictionaries are visited at every occurrence.
  private var budget: PickleBudget

  /// The bytes of a member of a dictionary that is visited, of a plain value and of a tensor: entries of dictionaries
  /// that grow, in the tensor's case also the checked one and the list of names.
  private static let memberBytes = 160, valueBytes = 192, tensorBytes = 512
  private static let depthLimit = 64

  init(
    _ root: PickleValue, in graph: PickleGraph, tensorName: String, _ budget: inout PickleBudget
  ) throws(FormatProblem) {
    (self.graph, self.budget) = (graph, budget)
    defer { budget = self.budget }
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
      if let average = state.first(where: { Self.unreadAverages.contains($0.name) && isFilled($0.value) }) {
        notes.append("\(quoted(average.name)): not read, as \(quoted(key)) is; save it alone to read it")
      }
      // The optimiser's tensors and the like are not the model's.
      for member in state where member.name != key { try addSummary(member.name, member.value) }
      state = members
    }
    for member in state { try add(member.name, member.value, depth: 0) }
    let prefix = "module."
    // The count of steps of PyTorch's `AveragedModel`, which has the model as its module.
    let count = "n_averaged"
    if tensors.count > 1, tensors[count] != nil, tensors.keys.allSatisfy({ $0 == count || $0.hasPrefix(prefix) }) {
      tensors[count] = nil
    }
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
    try budget.charge(graph.pairs[node].count, of: Self.memberBytes)
    var members: [Member] = []
    var index: [String: (position: Int, isText: Bool)] = [:]
    for pair in graph.pairs[node] {
      let text: String? = if case .string(let text) = pair.key { text } else { nil }
      let (name, isText) = (text ?? describe(pair.key), text != nil)
      try budget.charge(name.utf8.count)
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

  /// Accounts for an entry and for its name, which is composed and hashed.
  private mutating func charge(_ name: String, _ bytes: Int) throws(FormatProblem) {
    try budget.charge(name.utf8.count + bytes)
  }

  private mutating func add(_ name: String, _ value: PickleValue, depth: Int) throws(FormatProblem) {
    if case .tensor(let node) = value {
      try charge(name, Self.tensorBytes)
      guard tensors.updateValue(graph.tensors[node], forKey: name) == nil else {
        throw FormatProblem(expected: "each name once", found: "\(quoted(name)) twice")
      }
      return
    }
    guard let members = try members(of: value) else {
      try addSummary(name, value)
      return
    }
    guard depth < Self.depthLimit else {
      throw FormatProblem(expected: "at most \(Self.depthLimit) nested dictionaries", found: "more")
    }
    for member in members {
      try budget.charge(name.utf8.count + member.name.utf8.count)
      try add("\(name).\(member.name)", member.value, depth: depth + 1)
    }
  }

  /// A member next to the state dictionary: its value if it is plain, else a description.
  private mutating func addSummary(_ name: String, _ value: PickleValue) throws(FormatProblem) {
    try charge(name, Self.valueBytes)
    // Its digits take time quadratic in its length.
    if case .largeInteger(let bytes) = value { try budget.charge(bytes.count, of: 8) }
    let shown = plain(value)
    if case .other(let text) = shown { try budget.charge(text.utf8.count) }
    values[name] = shown
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
    var text = ""
    describe(value, depth: 0, &text)
    let shown = text.unicodeScalars.prefix(PythonValue.limit)
    return shown.endIndex == text.unicodeScalars.endIndex ? text : String(shown) + "…"
  }

  /// Appends a value. Every item visited adds to the text, whose length thus bounds the work, too: lists of empty lists
  /// are as many steps as brackets.
  private func describe(_ value: PickleValue, depth: Int, _ text: inout String) {
    func add(_ node: PickleGraph.Node, _ open: String, _ close: String) {
      let items = graph.items[node]
      text += open
      for (index, item) in items.enumerated() {
        if index > 0 { text += ", " }
        guard text.utf8.count <= PythonValue.limit, depth < 4 else {
          text += "…"
          break
        }
        describe(item, depth: depth + 1, &text)
      }
      text += (open == "(" && items.count == 1 ? "," : "") + close
    }
    switch value {
    case .list(let node): add(node, "[", "]")
    case .tuple(let node): add(node, "(", ")")
    case .set(let node) where graph.items[node].isEmpty: text += "set()"
    case .set(let node): add(node, "{", "}")
    case .dictionary(let node): text += "dictionary of \(graph.pairs[node].count)"
    case .object(let node):
      let object = graph.objects[node]
      if case .tuple(let arguments) = object.state {
        text += object.name
        add(arguments, "(", ")")
      } else {
        text += "object of \(object.name)"
      }
    case .storage(let node): text += "storage of \(graph.storages[node].count)"
    case .tensor(let node):
      text += "tensor \(graph.tensors[node].type.rawValue) \(graph.tensors[node].extents.prefix(8))"
    case .global(let global): text += global.name
    default: text += plain(value).description
    }
  }
}
