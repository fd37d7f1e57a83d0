// The loops that elementwise operations share: sixteen numbers at a time, cut into pieces of one size.

/// Numbers a piece of an elementwise loop: 128 KiB of `Float`, several pieces a core for the sizes of real models.
private let grain = 1 << 15

extension Tensor {
  /// f(x), element by element.
  @inline(__always)
  func mapLanes(_ function: (Lanes) -> Lanes) -> Tensor {
    Tensor.read(self) { x in
      Tensor(shape) { y in
        Parallel.forEachRange(count, grain: grain) { range in
          var index = range.lowerBound
          while index &+ 32 <= range.upperBound {
            let (first, second) = (Lanes(loading: x + index), Lanes(loading: x + (index &+ 16)))
            function(first).store(to: y + index)
            function(second).store(to: y + (index &+ 16))
            index &+= 32
          }
          if index &+ 16 <= range.upperBound {
            function(Lanes(loading: x + index)).store(to: y + index)
            index &+= 16
          }
          let rest = range.upperBound &- index
          if rest > 0 { function(Lanes(loading: x + index, count: rest)).store(to: y + index, count: rest) }
        }
      }
    }
  }

  /// f(x, z), element by element, of two tensors of one shape.
  @inline(__always)
  func mapLanes(_ other: Tensor, _ function: (Lanes, Lanes) -> Lanes) -> Tensor {
    precondition(shape == other.shape, "elementwise: expected shape \(shape), found \(other.shape)")
    return Tensor.read(self, other) { x, z in
      Tensor(shape) { y in
        Parallel.forEachRange(count, grain: grain) { range in
          var index = range.lowerBound
          while index &+ 16 <= range.upperBound {
            function(Lanes(loading: x + index), Lanes(loading: z + index)).store(to: y + index)
            index &+= 16
          }
          let rest = range.upperBound &- index
          if rest > 0 {
            function(Lanes(loading: x + index, count: rest), Lanes(loading: z + index, count: rest))
              .store(to: y + index, count: rest)
          }
        }
      }
    }
  }

  /// The sum of two tensors of one shape.
  func adding(_ other: Tensor) -> Tensor { mapLanes(other) { $0 + $1 } }

  /// Every element times a number.
  public func scaled(by factor: Real) -> Tensor { mapLanes { $0 * factor } }
}
