import Synchronization

/// The ZIP archive that PyTorch writes since version 1.6, TorchScript's included (caffe2/serialize/inline_container.h).
///
///     NAME/data.pkl       the pickle, which describes tensors
///     NAME/data/KEY       the storage KEY, stored without compression
///     NAME/byteorder      "little" or "big"; little where it is missing
///     NAME/code/…         TorchScript's programs, which are not read
final class TorchArchive: Sendable {
  /// The maximal size of a pickle.
  static let pickleLimit = 1 << 26

  /// True for big-endian elements.
  let isBigEndian: Bool
  /// True for a TorchScript archive.
  let isScript: Bool

  let zip: ZipArchive
  private let root: String
  /// The storages whose checksum has been verified: tensors that share one have it checked once.
  private let intact = Mutex<Set<String>>([])

  init(_ zip: ZipArchive) throws(FormatProblem) {
    guard let root = Self.root(of: zip) else {
      throw FormatProblem(expected: "one entry NAME/data.pkl, as PyTorch writes it", found: "none or several")
    }
    (self.zip, self.root) = (zip, root)
    let code = root + "code/"
    isScript = zip.entries.keys.contains { $0.hasPrefix(code) }
    guard let entry = zip.entries[root + "byteorder"] else {
      isBigEndian = false
      return
    }
    let order = try zip.withPrefix(of: entry, count: 16) { String(decoding: $0, as: UTF8.self) }
    guard order == "little" || order == "big" else {
      throw FormatProblem(expected: "\"little\" or \"big\" as the order of bytes", found: quoted(order))
    }
    isBigEndian = order == "big"
  }

  /// The folder of the one `data.pkl`, with its slash.
  static func root(of zip: ZipArchive) -> String? {
    let name = "data.pkl"
    let roots = zip.entries.keys.filter { $0.hasSuffix(name) }.map { $0.dropLast(name.count) }
      .filter { $0.isEmpty || $0.firstIndex(of: "/") == $0.index(before: $0.endIndex) }
    return roots.count == 1 ? String(roots[0]) : nil
  }

  /// The value of the pickle, and what is left to make of it.
  func pickled(_ budget: PickleBudget) throws(FormatProblem) -> (PickleValue, PickleGraph, PickleBudget) {
    guard let entry = zip.entries[root + "data.pkl"], entry.size <= Self.pickleLimit else {
      throw FormatProblem(expected: "a pickle of at most \(Self.pickleLimit) bytes", found: "a larger one")
    }
    var budget = budget
    if try entry.readableMethod() == .deflated { try budget.charge(entry.size) }
    return try zip.withContents(of: entry) { [budget] bytes throws(FormatProblem) in
      var interpreter = PickleInterpreter(bytes, budget: budget)
      let value = try interpreter.run()
      return (value, interpreter.graph, interpreter.budget)
    }
  }

  /// The entry of a storage.
  func entry(of key: String) throws(FormatProblem) -> ZipEntry {
    let name = "\(root)data/\(key)"
    guard let entry = zip.entries[name] else {
      throw FormatProblem(expected: "its data as entry \(quoted(name))", found: "none")
    }
    // PyTorch maps storages, so they are never compressed; each of many tensors would have to inflate a shared one.
    guard try entry.readableMethod() == .stored else {
      throw FormatProblem(expected: "data stored without compression in entry \(quoted(name))", found: "deflated ones")
    }
    return entry
  }

  /// Calls `body` with the bytes of a storage; the pointer must not outlive the call.
  func withBytes<Result>(
    of key: String, _ body: (UnsafeRawBufferPointer) throws(FormatProblem) -> Result
  ) throws(FormatProblem) -> Result {
    let entry = try entry(of: key)
    let isKnown = intact.withLock { $0.contains(key) }
    return try zip.withContents(of: entry, isIntact: isKnown) { bytes throws(FormatProblem) in
      if !isKnown { intact.withLock { _ = $0.insert(key) } }
      return try body(bytes)
    }
  }
}
