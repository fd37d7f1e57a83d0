/// One row of a tile: a few registers side by side.
protocol Line {
  static var registers: Int { get }
  init()
  init(loading pointer: UnsafePointer<Real>)
  func store(to pointer: UnsafeMutablePointer<Real>)
  /// self + a · b, the whole line at once.
  mutating func fma(_ a: Real, _ b: Self)
}

extension Line {
  /// Prefetches the memory of a line, once for every 64 bytes.
  @inline(__always)
  static func prefetch(_ pointer: UnsafePointer<Real>, _ ask: (UnsafePointer<Real>) -> Void) {
    let numbers = 64 / MemoryLayout<Real>.stride
    for part in 0..<max(1, registers &* Register.scalarCount / numbers) { ask(pointer + part &* numbers) }
  }
}

struct Line1: Line {
  var x0 = Register()

  @inline(__always) static var registers: Int { 1 }

  @inline(__always) init() {}

  @inline(__always)
  init(loading pointer: UnsafePointer<Real>) {
    x0 = UnsafeRawPointer(pointer).loadUnaligned(as: Register.self)
  }

  @inline(__always)
  func store(to pointer: UnsafeMutablePointer<Real>) {
    UnsafeMutableRawPointer(pointer).storeBytes(of: x0, as: Register.self)
  }

  @inline(__always)
  mutating func fma(_ a: Real, _ b: Line1) {
    #if NO_FMA
      x0 += a * b.x0
    #else
      x0.addProduct(a, b.x0)
    #endif
  }
}

/// Two lines side by side.
struct Pair<Left: Line, Right: Line>: Line {
  var left = Left()
  var right = Right()

  @inline(__always) static var registers: Int { Left.registers &+ Right.registers }

  @inline(__always) init() {}

  @inline(__always)
  init(loading pointer: UnsafePointer<Real>) {
    left = Left(loading: pointer)
    right = Right(loading: pointer + Left.registers &* Register.scalarCount)
  }

  @inline(__always)
  func store(to pointer: UnsafeMutablePointer<Real>) {
    left.store(to: pointer)
    right.store(to: pointer + Left.registers &* Register.scalarCount)
  }

  @inline(__always)
  mutating func fma(_ a: Real, _ b: Self) {
    left.fma(a, b.left)
    right.fma(a, b.right)
  }
}

typealias Line2 = Pair<Line1, Line1>
typealias Line3 = Pair<Line2, Line1>
typealias Line4 = Pair<Line2, Line2>

/// Rows of a tile, one below the other.
protocol Block {
  associatedtype LineType: Line
  static var rows: Int { get }
  init()
  init(loading c: UnsafePointer<Real>, stride: Int)
  func store(to c: UnsafeMutablePointer<Real>, stride: Int)
  /// Row i of self + a[i · stride] · b.
  mutating func fma(_ a: UnsafePointer<Real>, _ stride: Int, _ b: LineType)
}

struct OneRow<LineType: Line>: Block {
  var line = LineType()

  @inline(__always) package static var rows: Int { 1 }

  @inline(__always) init() {}

  @inline(__always)
  init(loading c: UnsafePointer<Real>, stride: Int) { line = LineType(loading: c) }

  @inline(__always)
  func store(to c: UnsafeMutablePointer<Real>, stride: Int) { line.store(to: c) }

  @inline(__always)
  mutating func fma(_ a: UnsafePointer<Real>, _ stride: Int, _ b: LineType) { line.fma(a.pointee, b) }
}

struct Stack<Top: Block, Bottom: Block>: Block where Top.LineType == Bottom.LineType {
  var top = Top()
  var bottom = Bottom()

  @inline(__always) package static var rows: Int { Top.rows &+ Bottom.rows }

  @inline(__always) init() {}

  @inline(__always)
  init(loading c: UnsafePointer<Real>, stride: Int) {
    top = Top(loading: c, stride: stride)
    bottom = Bottom(loading: c + Top.rows &* stride, stride: stride)
  }

  @inline(__always)
  func store(to c: UnsafeMutablePointer<Real>, stride: Int) {
    top.store(to: c, stride: stride)
    bottom.store(to: c + Top.rows &* stride, stride: stride)
  }

  @inline(__always)
  mutating func fma(_ a: UnsafePointer<Real>, _ stride: Int, _ b: Top.LineType) {
    top.fma(a, stride, b)
    bottom.fma(a + Top.rows &* stride, stride, b)
  }
}

typealias Rows2<L: Line> = Stack<OneRow<L>, OneRow<L>>
typealias Rows3<L: Line> = Stack<Rows2<L>, OneRow<L>>
typealias Rows4<L: Line> = Stack<Rows2<L>, Rows2<L>>
typealias Rows5<L: Line> = Stack<Rows4<L>, OneRow<L>>
typealias Rows6<L: Line> = Stack<Rows4<L>, Rows2<L>>
