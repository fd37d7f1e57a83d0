extension Transcendental {
  /// The functions by name, over memory.
  package enum Function: String, CaseIterable, Sendable {
    case exp, log, tanh, sigmoid

    /// y[i] = f(x[i]) for `count` elements; y may be x.
    package func map(_ x: UnsafePointer<Real>, into y: UnsafeMutablePointer<Real>, count: Int) {
      switch self {
      case .exp: Exp.map(x, into: y, count: count)
      case .log: Log.map(x, into: y, count: count)
      case .tanh: Tanh.map(x, into: y, count: count)
      case .sigmoid: Sigmoid.map(x, into: y, count: count)
      }
    }
  }
}

private enum Exp: LaneFunction {
  @inline(__always) static func value(_ x: Lanes) -> Lanes { Transcendental.exp(x) }
}

private enum Log: LaneFunction {
  @inline(__always) static func value(_ x: Lanes) -> Lanes { Transcendental.log(x) }
}

private enum Tanh: LaneFunction {
  @inline(__always) static func value(_ x: Lanes) -> Lanes { Transcendental.tanh(x) }
}

private enum Sigmoid: LaneFunction {
  @inline(__always) static func value(_ x: Lanes) -> Lanes { Transcendental.sigmoid(x) }
}
