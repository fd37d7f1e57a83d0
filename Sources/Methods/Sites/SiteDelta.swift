import Formats
import Models
import Tensor

/// What a delta keeps of tuned sites: whole tensors, single entries with their indices, what is added to them or what
/// they are, branches.
enum SiteDelta: DeltaPart {
  static func read(
    _ entry: DeltaEntry, from file: SafeTensorsFile, shapes: [String: Shape], into delta: inout Delta
  ) throws -> Bool {
    guard case .indices(let site) = entry else { return false }
    guard let shape = shapes[site] else {
      throw DeltaError(file.file, expected: "indices in sites of the image encoder", found: "\"\(entry.name)\"")
    }
    let numbers = try file.integers(entry.name)
    let found = numbers.compactMap { Int32(exactly: $0) }
    guard found.count == numbers.count, SparseIndices.areValid(found, in: shape) else {
      throw DeltaError(
        file.file, expected: "tensor \"\(entry.name)\" as ascending indices below \(shape.count)", found: "others")
    }
    delta.indices[site] = found
    return true
  }

  static func expected(in delta: Delta, shapes: [String: Shape], featureWidth: Int) -> [String: DeltaShape] {
    var expected = shapes.mapValues { DeltaShape(extents: $0.extents.map(\.self), isRequired: false) }
    for (site, indices) in delta.indices {
      let isNew = delta.newEntries(site) != nil
      expected[(isNew ? DeltaEntry.newEntries(site: site) : .entries(site: site)).name] = DeltaShape(
        extents: [indices.count])
    }
    for (site, form) in delta.description.branches ?? [:] {
      guard let shape = shapes[site], shape.rank == 2 else { continue }
      func expect(_ part: String, _ extents: [Int?]) {
        expected[DeltaEntry.branch(site: site, part: part).name] = DeltaShape(extents: extents)
      }
      expect("down", [nil, form.isSequential ? shape[0] : shape[1]])
      expect("up", [shape[0], nil])
      guard delta.branchTensor(site, "down.bias") != nil || delta.branchTensor(site, "up.bias") != nil else { continue }
      expect("down.bias", [nil])
      expect("up.bias", [shape[0]])
    }
    return expected
  }

  /// Single entries need their indices.
  static func expectation(
    of entry: DeltaEntry, in delta: Delta, featureWidth: Int
  ) -> (expected: String, found: String)? {
    let site: String
    switch entry {
    case .entries(let found), .newEntries(let found): site = found
    default: return nil
    }
    guard delta.indices[site] == nil else { return nil }
    let indices = DeltaEntry.indices(site: site).name
    return ("tensor \"\(indices)\", the indices of \"\(entry.name)\"", "none")
  }

  /// Checks that branches are at linear maps, and that the two maps of each have the same rank.
  static func check(_ delta: Delta, on tower: any ImageTower, file: String) throws(DeltaError) {
    let sites = (delta.description.branches ?? [:]).keys.sorted()
    let maps = sites.isEmpty ? [] : Set(tower.parameters.lazy.filter(\.takesBranch).map(\.site.name))
    for site in sites {
      guard maps.contains(site) else {
        throw DeltaError(file, expected: "branches at the linear maps of the image encoder", found: "one at \(site)")
      }
      let down = delta.branchTensor(site, "down")?.shape[0]
      let up = delta.branchTensor(site, "up")?.shape[1]
      let bias = delta.branchTensor(site, "down.bias")?.shape[0]
      guard let down, down == up, bias == nil || bias == down else {
        throw DeltaError(
          file, expected: "one rank of the branch at \(site)",
          found: "\(down.map { "\($0)" } ?? "none"), \(up.map { "\($0)" } ?? "none")")
      }
    }
  }

  static func tuning(of parameter: Parameter, in delta: Delta) -> StoredTuning? {
    let site = parameter.site.name
    if let form = delta.description.branches?[site] {
      guard let down = delta.branchTensor(site, "down"), let up = delta.branchTensor(site, "up") else { return nil }
      return .branched(
        form, down: down, downBias: delta.branchTensor(site, "down.bias"), up: up,
        upBias: delta.branchTensor(site, "up.bias"))
    }
    if let indices = delta.indices[site], let entries = delta.tensors[DeltaEntry.entries(site: site).name] {
      return .shifted(entries, SparseIndices(indices, in: parameter.value.shape))
    }
    if let indices = delta.indices[site], let entries = delta.newEntries(site) {
      return .replaced(parameter.value.replacing(entries, at: indices))
    }
    return delta.tensors[site].map { .replaced($0) }
  }

  /// The tensor that was tuned whole, W with some other entries, W + scatter(d), or W + U D.
  static func merged(into parameter: Parameter, from delta: Delta) throws(ExportError) -> Tensor? {
    let (site, weight) = (parameter.site.name, parameter.value)
    if let value = delta.tensors[site] { return value }
    if let indices = delta.indices[site], let entries = delta.tensors[DeltaEntry.entries(site: site).name] {
      return Variable(weight).scatterAdding(Variable(entries), at: SparseIndices(indices, in: weight.shape)).value
    }
    if let indices = delta.indices[site], let entries = delta.newEntries(site) {
      return weight.replacing(entries, at: indices)
    }
    guard let form = delta.description.branches?[site] else { return nil }
    guard !form.hasActivation, !form.isSequential else {
      throw ExportError("branches without activation, which weights can hold", found: "an adapter at \(site)")
    }
    return lowRank(site, of: delta, addedTo: weight, scale: form.scale)
  }

  /// W + s U D
  private static func lowRank(
    _ site: String, of delta: Delta, addedTo weight: Tensor, scale: Double?
  ) -> Tensor {
    guard let down = delta.branchTensor(site, "down"), var up = delta.branchTensor(site, "up") else { return weight }
    if let scale { up = up.scaled(by: Real(scale)) }
    let (out, width, rank) = (weight.shape[0], weight.shape[1], down.shape[0])
    var result = weight
    result.write { w in
      Tensor.read(up, down) { up, down in
        gemm(
          out, width, rank, MatrixView(up, rowStride: rank), MatrixView(down, rowStride: width), into: w,
          cStride: width, accumulating: true)
      }
    }
    return result
  }
}

extension Delta {
  /// What single entries of a site are.
  fileprivate func newEntries(_ site: String) -> Tensor? { tensors[DeltaEntry.newEntries(site: site).name] }
}

extension Tensor {
  /// The tensor with other values at some indices.
  fileprivate func replacing(_ entries: Tensor, at indices: [Int32]) -> Tensor {
    var result = self
    result.write { into in
      Tensor.read(entries) { entries in
        for (slot, index) in indices.enumerated() { into[Int(index)] = entries[slot] }
      }
    }
    return result
  }
}
