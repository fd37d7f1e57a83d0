/// A file of the layout in which SPT's authors ship an allocation, written opcode by opcode.
package struct AllocationPickle: Sendable {
  /// Six zeros and ones for each block.
  package var matrices: [[Int32]]
  /// The names of vectors that are tuned whole.
  package var vectors: [String] = []
  /// The tuned entries of other tensors.
  package var entries: [String: [Int]] = [:]
  /// Shapes that replace the true ones.
  package var shapes: [String: [Int]] = [:]
  /// Names at the end of the shapes.
  package var more: [String] = []
  /// Indices that replace those of `entries`.
  package var indices: [Int]?
  /// A number that replaces the count of structured parameters, of LoRA of rank 8.
  package var structured: Int?
  /// A key that is left out.
  package var omitted = ""
  /// True if tensors are listed from the last to the first.
  package var isReversed = false

  /// Nothing is tuned.
  package init(blocks: Int) { matrices = Array(repeating: [0, 0, 0, 0, 0, 0], count: blocks) }

  /// A ranked tensor by the authors' name; block and operation of a matrix.
  package struct Site: Sendable {
    /// The name: `blocks.0.attn.q.weight`.
    package let name: String
    /// The extents.
    package let extents: [Int]

    /// A tensor by its parts.
    package init(_ name: String, _ extents: [Int]) { (self.name, self.extents) = (name, extents) }

    var count: Int { extents.reduce(1, *) }

    /// Its row and column in the table of matrices.
    var matrix: (block: Int, operation: Int)? {
      let words = name.split(separator: ".")
      guard words.count == 5, words[4] == "weight", let block = Int(words[1]),
        let operation = ["q", "k", "v", "proj", "fc1", "fc2"].firstIndex(of: words[3])
      else { return nil }
      return (block, operation)
    }
  }

  private func hasModule(_ site: Site) -> Bool {
    guard let (block, operation) = site.matrix, matrices.indices.contains(block),
      matrices[block].indices.contains(operation)
    else { return false }
    return matrices[block][operation] == 1
  }

  /// The file, for the ranked tensors of a model.
  package func bytes(for sites: [Site]) -> [UInt8] {
    let listed = (isReversed ? sites.reversed() : sites).filter { !vectors.contains($0.name) && !hasModule($0) }
    var (own, first): ([Int], Int) = ([], 0)
    for site in listed {
      own += (entries[site.name] ?? []).map { first + $0 }
      first += site.count
    }
    let indices = indices ?? own
    var total = 0
    for site in sites {
      if vectors.contains(site.name) { total += site.count }
      if hasModule(site) { total += 8 * site.extents.reduce(0, +) }
    }
    var pickle = PickleBuilder().op("}(")
    func isThere(_ key: String) -> Bool { key != omitted }
    pickle = pickle.string("unstructured_name_shapes").op("}(")
    for (name, extents) in listed.map({ ($0.name, shapes[$0.name] ?? $0.extents) }) + more.map({ ($0, [64]) }) {
      pickle = pickle.string(name).global("torch", "Size").tuple(extents.map { Int32($0) }).raw([0x85]).op("R")
    }
    pickle = pickle.op("u").string("unstructured_name_shapes_int").op("}(")
    for site in listed { pickle = pickle.string(site.name).numPyInteger(Int64(site.count)) }
    pickle = pickle.op("u").string("params").tensor("0", count: 1, size: [], stride: [])
    pickle = pickle.string("structured_params").integer(Int32(structured ?? total))
    if isThere("unstructured_indexes") {
      pickle = pickle.string("unstructured_indexes").tensor(
        "1", "LongStorage", count: Int32(indices.count), size: [Int32(indices.count)], stride: [1])
    }
    if isThere("tuned_matrices") {
      pickle = pickle.string("tuned_matrices").op("](")
      for block in matrices { pickle = block.reduce(pickle.op("](")) { $0.integer($1) }.op("e") }
      pickle = pickle.op("e")
    }
    pickle = vectors.reduce(pickle.string("tuned_vectors").op("](")) { $0.string($1) }.op("eu")
    let elements = indices.flatMap { FrugalTestSupport.bytes(Int64($0)) }
    return pickle.archive(["0": FrugalTestSupport.bytes(Float(0.4).bitPattern), "1": elements]).file
  }
}

extension PickleBuilder {
  /// Pushes an integer as NumPy pickles its scalars of 64 bits.
  package func numPyInteger(_ value: Int64) -> PickleBuilder {
    let bytes = FrugalTestSupport.bytes(value)
    let text = String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
    return global("numpy.core.multiarray", "scalar")
      .global("numpy", "dtype").op("(").string("i8").integer(0).integer(1).op("tR")
      .op("(").integer(3).string("<").op("NNN").integer(-1).integer(-1).integer(0).op("tb")
      .global("_codecs", "encode").string(text).string("latin1").raw([0x86]).op("R").raw([0x86]).op("R")
  }
}
