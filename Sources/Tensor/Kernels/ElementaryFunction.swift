extension Transcendental {
  /// The functions by name, over memory.
  package enum Function: String, CaseIterable, Sendable {
    case exp, log, tanh, sigmoid, erf

    /// y[i] = f(x[i]) for `count` numbers; y may be x.
    package func map(_ x: UnsafePointer<Real>, into y: UnsafeMutablePointer<Real>, count: Int) {
      switch self {
      case .exp: Function.each(x, y, count) { Transcendental.exp($0) }
      case .log: Function.each(x, y, count) { Transcendental.log($0) }
      case .tanh: Function.each(x, y, count) { Transcendental.tanh($0) }
      case .sigmoid: Function.each(x, y, count) { Transcendental.sigmoid($0) }
      case .erf: Function.each(x, y, count) { Transcendental.erf($0) }
      }
    }

    @inline(__always)
    private static func each(
      _ x: UnsafePointer<Real>, _ y: UnsafeMutablePointer<Real>, _ count: Int, _ f: (Lanes) -> Lanes
    ) {
      let whole = count & ~(Lanes.width - 1)
      for index in stride(from: 0, to: whole, by: Lanes.width) { f(Lanes(loading: x + index)).store(to: y + index) }
      if whole < count {
        f(Lanes(loading: x + whole, count: count - whole)).store(to: y + whole, count: count - whole)
      }
    }
  }
}
