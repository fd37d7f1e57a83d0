import Models
import Tensor

/// The usual ways to tune part of an encoder, as rules that select its sites.
public enum PlainTuning: Sendable, Hashable {
  /// Every tensor.
  case full
  /// The given number of last blocks and the norm after them.
  case lastBlocks(Int)
  /// All biases, those of norms too (BitFit, Ben Zaken et al. 2022).
  case biases
  /// The scales and shifts of all norms (Basu et al. 2024; Zhao et al. 2024).
  case norms
  /// A low-rank branch parallel to the query and value maps (Hu et al. 2022).
  case lora
  /// A sequential adapter after the second map of every MLP (Pfeiffer et al. 2021).
  case adapter

  /// The trainable parts of a tower.
  public func designs(of tower: any ImageTower, rank: Int, _ branch: BranchSettings.Branch) -> [TuningDesign] {
    let parameters = tower.parameters
    switch self {
    case .full: return parameters.map { .whole($0) }
    case .lastBlocks(let count):
      let blocks = Set(parameters.compactMap(\.site.block)).sorted().suffix(count)
      let end = parameters.lastIndex { $0.site.block != nil } ?? parameters.endIndex
      return parameters.enumerated().filter { index, parameter in
        let isNorm = [.normScale, .normShift].contains(parameter.site.role)
        return parameter.site.block.map { blocks.contains($0) } ?? (isNorm && index > end)
      }.map { .whole($0.element) }
    case .biases: return parameters.filter { [.bias, .normShift].contains($0.site.role) }.map { .whole($0) }
    case .norms: return parameters.filter { [.normScale, .normShift].contains($0.site.role) }.map { .whole($0) }
    case .lora: return branched(parameters, [.query, .value], isSequential: false, rank, branch)
    case .adapter: return branched(parameters, [.mlpDown], isSequential: true, rank, branch)
    }
  }

  private func branched(
    _ parameters: [Parameter], _ roles: Set<Site.Role>, isSequential: Bool, _ rank: Int, _ branch: BranchSettings.Branch
  ) -> [TuningDesign] {
    parameters.filter { roles.contains($0.site.role) && $0.value.shape.rank == 2 }.enumerated().map {
      index, parameter in
      .branched(
        parameter,
        BranchDesign(
          form: Branch.Form(
            isSequential: isSequential, hasActivation: isSequential, dropout: branch.dropout, dropPath: branch.dropPath,
            dropoutSite: index, dropPathSite: index), rank: rank, hasBiases: isSequential, start: branch.start))
    }
  }
}
