import Tensor

extension WeightLayout {
  /// The storage form of a tensor.
  enum Form: Sendable, Equatable {
    /// As it is used.
    case same
    /// A matrix with rows and columns exchanged.
    case transposed
    /// One of three tensors stacked along the first dimension.
    case third(Int)
    /// One of two tensors stacked along the first dimension.
    case half(Int)
    /// With the given number of leading extents of 1.
    case nested(Int)
    /// With the given number of trailing extents of 1: a 1 × 1 convolution.
    case trailing(Int)
    /// A matrix [out, 4 · in] of four neighbours side by side as the 2 × 2 convolution [out, in, 2, 2] that it is.
    case neighboursLast
    /// A convolution [out, in, h, w] as [h, w, in, out].
    case pixelsFirst
    /// A matrix [out, in] as [in, heads, out / heads].
    case headsLast(Int)
    /// A matrix [out, in] as [heads, in / heads, out].
    case headsFirst(Int)
    /// A vector [width] as [heads, width / heads].
    case inHeads(Int)

    /// The extents of the stored tensor.
    func storedShape(of shape: Shape) -> Shape {
      switch self {
      case .same: shape
      case .transposed: Shape(shape.extents.reversed())
      case .third: Shape([3 * shape[0]] + shape.extents.dropFirst())
      case .half: Shape([2 * shape[0]] + shape.extents.dropFirst())
      case .nested(let ones): Shape(Array(repeating: 1, count: ones) + shape.extents)
      case .trailing(let ones): Shape(shape.extents + Array(repeating: 1, count: ones))
      case .neighboursLast: [shape[0], shape[1] / 4, 2, 2]
      case .pixelsFirst: [shape[2], shape[3], shape[1], shape[0]]
      case .headsLast(let heads): [shape[1], heads, shape[0] / heads]
      case .headsFirst(let heads): [heads, shape[1] / heads, shape[0]]
      case .inHeads(let heads): [heads, shape[0] / heads]
      }
    }

    /// The extents of the tensor that is stored in another; `nil` if none has this form.
    func canonicalShape(of stored: Shape) -> Shape? {
      guard stored.rank >= leastRank else { return nil }
      let shape: Shape =
        switch self {
        case .same: stored
        case .transposed: Shape(stored.extents.reversed())
        case .third: Shape([stored[0] / 3] + stored.extents.dropFirst())
        case .half: Shape([stored[0] / 2] + stored.extents.dropFirst())
        case .nested(let ones): Shape(Array(stored.extents.dropFirst(ones)))
        case .trailing(let ones): Shape(Array(stored.extents.dropLast(ones)))
        case .neighboursLast: [stored[0], 4 * stored[1]]
        case .pixelsFirst: [stored[3], stored[2], stored[0], stored[1]]
        case .headsLast: [stored[1] * stored[2], stored[0]]
        case .headsFirst: [stored[2], stored[0] * stored[1]]
        case .inHeads: [stored[0] * stored[1]]
        }
      return storedShape(of: shape) == stored ? shape : nil
    }

    private var leastRank: Int {
      switch self {
      case .same, .transposed: 0
      case .third, .half: 1
      case .nested(let ones), .trailing(let ones): ones
      case .inHeads: 2
      case .headsLast, .headsFirst: 3
      case .neighboursLast, .pixelsFirst: 4
      }
    }

    /// The stored extent for each extent of the used tensor, if they are permuted.
    var extentOrder: [Int]? {
      switch self {
      case .same, .third, .half, .nested, .trailing, .inHeads: nil
      case .transposed: [1, 0]
      case .neighboursLast: [0, 2, 3, 1]
      case .pixelsFirst: [3, 2, 0, 1]
      case .headsLast: [1, 2, 0]
      case .headsFirst: [2, 0, 1]
      }
    }

    /// The index of the part, if several tensors are stacked.
    var stackedPart: Int? {
      switch self {
      case .third(let part), .half(let part): part
      default: nil
      }
    }

    /// The tensor as it is used.
    func canonical(_ stored: Tensor, _ shape: Shape) -> Tensor {
      if let part = stackedPart {
        return Tensor.read(stored) { from in
          Tensor(shape) { $0.update(from: from + part * shape.count, count: shape.count) }
        }
      }
      return (extentOrder.map { stored.permutingExtents($0) } ?? stored).reshaped(to: shape)
    }
  }
}
