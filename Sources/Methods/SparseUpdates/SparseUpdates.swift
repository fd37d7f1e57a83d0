import Models
import Tensor

/// The matrices of attention and MLP in all blocks of both towers, of which an optimiser moves a few entries in each
/// step (SO (a)).
///
/// - Query, key and value of an attention are one matrix to the optimiser, as they are in the released model.
/// - Biases, norms, embeddings and projections stay.
/// - What is stored are the entries that differ from the model's, where that is less than the whole matrix.
struct SparseUpdates: EncoderTuning {
  /// The matrices.
  let trainables: [Trainable]
  private let parameters: [Parameter]

  /// The matrices of two towers.
  init(_ towers: TowerPair) {
    parameters = Self.matrices(of: towers)
    trainables = parameters.map {
      Trainable($0.site.name, $0.value, group: Self.fused.contains($0.site.role) ? $0.site.parent : nil)
    }
  }

  private static let fused: Set<Site.Role> = [.query, .key, .value]

  /// Those of a tower's blocks.
  static func matrices(of tower: any ImageTower) -> [Parameter] {
    let roles = fused.union([.attentionOutput, .mlpUp, .mlpDown])
    return tower.parameters.filter { roles.contains($0.site.role) && $0.site.block != nil && $0.value.shape.rank == 2 }
  }

  /// The matrices as they are.
  func tunings(_ values: [Variable]) -> [Site: Tuning] {
    Dictionary(uniqueKeysWithValues: zip(parameters, values).map { ($0.site, .replaced($1)) })
  }

  /// The entries that differ from the model's.
  func changedCount(_ values: [Tensor]) -> Int? {
    zip(parameters, values).reduce(0) { $0 + $1.1.indicesOfChanges(from: $1.0.value).count }
  }

  /// Changed entries with their indices, or whole matrices where these are smaller; nothing of a matrix that stayed.
  func write(_ values: [Tensor], to delta: inout Delta) {
    for (parameter, value) in zip(parameters, values) {
      let (site, changed) = (parameter.site.name, value.indicesOfChanges(from: parameter.value))
      guard !changed.isEmpty else { continue }
      let bytes = changed.count * (MemoryLayout<Real>.size + MemoryLayout<Int64>.size)
      guard bytes < value.count * MemoryLayout<Real>.size else {
        delta.tensors[site] = value
        continue
      }
      delta.indices[site] = changed
      delta.tensors[DeltaEntry.newEntries(site: site).name] = value.entries(at: changed)
    }
  }
}

extension Site {
  /// The name of what it is a part of: `vision.blocks.3.attention`.
  fileprivate var parent: String { name.split(separator: ".").dropLast().joined(separator: ".") }
}

extension Tensor {
  /// The ascending indices of elements that differ from those of another tensor of the same shape.
  fileprivate func indicesOfChanges(from other: Tensor) -> [Int32] {
    Tensor.read(self, other) { own, other in
      var indices: [Int32] = []
      for index in 0..<count where own[index] != other[index] { indices.append(Int32(index)) }
      return indices
    }
  }

  /// Some elements: [indices.count]
  fileprivate func entries(at indices: [Int32]) -> Tensor {
    Tensor.read(self) { elements in
      Tensor([indices.count]) { into in
        for (slot, index) in indices.enumerated() { into[slot] = elements[Int(index)] }
      }
    }
  }
}
