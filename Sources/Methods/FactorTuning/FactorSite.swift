import Models
import Tensor

/// A map whose update has the shared factors of an encoder.
struct FactorSite {
  /// The site of its weight.
  let site: Site
  /// n and m: the widths of its output and input, in widths of a token. One of the two is 1.
  let outputs, inputs: Int
  /// The index of its first slice of width × width.
  let firstSlice: Int

  /// The number of its slices.
  var slices: Int { max(outputs, inputs) }

  /// The maps of attention and MLP of all blocks, in the order of the forward pass: query, key, value, output, and
  /// those of the MLP. None where their widths are no multiples of one width of tokens. Those of a text tower, which
  /// has a width of its own, are left out.
  static func all(of parameters: [Parameter]) -> (sites: [FactorSite], width: Int) {
    let maps = parameters.filter { parameter in
      let site = parameter.site
      return site.block != nil && !site.isOfText && roles.contains(site.role) && parameter.value.shape.rank == 2
    }
    let width = maps.flatMap(\.value.shape.extents).min() ?? 0
    var (sites, next): ([FactorSite], Int) = ([], 0)
    for map in maps {
      let (out, into) = (map.value.shape[0], map.value.shape[1])
      guard min(out, into) == width, out % width == 0, into % width == 0 else { return ([], 0) }
      let site = FactorSite(site: map.site, outputs: out / width, inputs: into / width, firstSlice: next)
      sites.append(site)
      next += site.slices
    }
    return (sites, width)
  }

  private static let roles: Set<Site.Role> = [.query, .key, .value, .attentionOutput, .mlpUp, .mlpDown]

  /// The shape of Σ.
  func coreShape(rank: Int) -> Shape { [outputs * rank, inputs * rank] }

  /// Σ of its slices S, [slices, rank, rank], each with the rank that V reads first (FacT (d)).
  ///
  /// Piece q of the output, with its rank j, or of the input is made of slice q, or of the slices as they lie in memory
  /// where the index of the slice runs fastest: element slices · j + q is then cut into pieces of `rank`.
  func core(of slices: Variable, _ order: SliceOrder) -> Variable {
    let (count, rank) = (slices.shape[0], slices.shape[1])
    guard count > 1 else { return slices.reshaped(to: [rank, rank]) }
    // Row by row of [count · rank, rank]: where its elements are in S.
    let rows = (0..<count * rank).map { row in
      order == .sliceMajor ? (slice: row / rank, row: row % rank) : (slice: row % count, row: row / count)
    }
    let shape = coreShape(rank: rank)
    let ids = (0..<shape.count).map { index in
      let (row, column) = outputs > 1 ? (index / rank, index % rank) : (index % (count * rank), index / (count * rank))
      return Int32((rows[row].slice * rank + rows[row].row) * rank + column)
    }
    return slices.reshaped(to: [shape.count, 1]).embedding(ids, shape: shape).reshaped(to: shape)
  }
}

/// The order in which the slices of a wide map form its core (FacT (d)).
public enum SliceOrder: String, Sendable, Codable, CaseIterable {
  /// The index of the slice runs fastest, as in the released code: a piece of the map takes part of every slice.
  case interleaved
  /// One slice after another, as in the paper: piece q of the map is slice q.
  case sliceMajor = "slice-major"
}
