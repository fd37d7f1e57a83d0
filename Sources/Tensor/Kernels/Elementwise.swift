// The loops that elementwise operations share: sixteen elements at a time, cut into pieces of one size.

/// Elements per piece of an elementwise loop: 128 KiB of `Float`, several pieces per core for the sizes of real models.
private let grain = 1 << 15

/// A function of sixteen values as a type.
///
/// Loops over memory are specialised for a type, and its computation is inlined whatever its size. A closure reaches a
/// loop that runs on several threads as a value, and one that is not tiny is called for every vector, which crosses the
/// call in pieces: Swift 6.3 writes most operations of a vector lane by lane before LLVM gathers them again. That made
/// 0.5 instead of 3.7 billion exponentials per second on one AVX-512 core.
protocol LaneFunction {
  static func value(_ x: Lanes) -> Lanes
}

/// A function of two times sixteen values as a type.
protocol LaneFunction2 {
  static func value(_ x: Lanes, _ z: Lanes) -> Lanes
}

extension Tensor {
  /// f(x), element by element.
  func mapLanes<F: LaneFunction>(_: F.Type) -> Tensor {
    Tensor.read(self) { x in
      Tensor(shape) { y in
        Parallel.forEachRange(count, grain: grain) { range in
          F.map(x + range.lowerBound, into: y + range.lowerBound, count: range.count)
        }
      }
    }
  }

  /// f(x, z), element by element, of two tensors of one shape.
  func mapLanes<F: LaneFunction2>(_ other: Tensor, _: F.Type) -> Tensor {
    require(shape == other.shape, "elementwise: expected shape \(shape), found \(other.shape)")
    return Tensor.read(self, other) { x, z in
      Tensor(shape) { y in
        Parallel.forEachRange(count, grain: grain) { range in
          let (x, z, y) = (x + range.lowerBound, z + range.lowerBound, y + range.lowerBound)
          F.map(x, z, into: y, count: range.count)
        }
      }
    }
  }

  /// f(x), element by element.
  @inline(__always)
  package func mapLanes(_ function: (Lanes) -> Lanes) -> Tensor {
    Tensor.read(self) { x in
      Tensor(shape) { y in
        Parallel.forEachRange(count, grain: grain) { range in
          var index = range.lowerBound
          while index &+ 16 <= range.upperBound {
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
  package func mapLanes(_ other: Tensor, _ function: (Lanes, Lanes) -> Lanes) -> Tensor {
    require(shape == other.shape, "elementwise: expected shape \(shape), found \(other.shape)")
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

  /// Every element times a scalar.
  public func scaled(by factor: Real) -> Tensor { mapLanes { $0 * factor } }
}

extension LaneFunction {
  /// y[i] = f(x[i]) for `count` elements; y may be x.
  static func map(_ x: UnsafePointer<Real>, into y: UnsafeMutablePointer<Real>, count: Int) {
    var index = 0
    while index &+ Lanes.width <= count {
      value(Lanes(loading: x + index)).store(to: y + index)
      index &+= Lanes.width
    }
    let rest = count &- index
    if rest > 0 { value(Lanes(loading: x + index, count: rest)).store(to: y + index, count: rest) }
  }
}

extension LaneFunction2 {
  /// y[i] = f(x[i], z[i]) for `count` elements.
  static func map(
    _ x: UnsafePointer<Real>, _ z: UnsafePointer<Real>, into y: UnsafeMutablePointer<Real>, count: Int
  ) {
    var index = 0
    while index &+ Lanes.width <= count {
      value(Lanes(loading: x + index), Lanes(loading: z + index)).store(to: y + index)
      index &+= Lanes.width
    }
    let rest = count &- index
    if rest > 0 {
      value(Lanes(loading: x + index, count: rest), Lanes(loading: z + index, count: rest))
        .store(to: y + index, count: rest)
    }
  }
}
