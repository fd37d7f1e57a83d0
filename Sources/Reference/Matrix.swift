/// Numbers in rows and columns, row by row: the one container of this library.
///
/// The files in reading order: Matrix, Linear, LayerNorm, GELU, Softmax, CrossEntropy, Attention, Dropout, Tokens,
/// CLIP; Network, Branch, TransformerBlock, VisionTransformer, TextTransformer; Adam, TaskRes, RAMT, Allocation, SPT;
/// ScaleAndShift, VisualPrompts, ParallelAdapter, InputAdapter, ConvolutionalBypass, FactorTuning, Projection,
/// ContrastiveClassifier, GPS, SO; LinearProbe, Gaussian, Cache, FeatureAdapter, Blend, BlendTraining, Prototypes,
/// Context, ConditionalContext.
///
/// A vector is a matrix of one row. Sequences are stacked: what is [batch, tokens, width] elsewhere has batch · tokens
/// rows here, those of the first sequence first.
public struct Matrix: Sendable, Equatable {
  /// The extents.
  public let rows, columns: Int
  /// All elements, the first row first.
  public var values: [Double]

  /// A matrix by its elements.
  public init(_ rows: Int, _ columns: Int, _ values: [Double]) {
    require(
      values.count == rows * columns, "Matrix: expected \(rows) × \(columns) elements, found \(values.count)")
    (self.rows, self.columns, self.values) = (rows, columns, values)
  }

  /// A matrix of one number.
  public init(_ rows: Int, _ columns: Int, repeating value: Double = 0) {
    self.init(rows, columns, [Double](repeating: value, count: rows * columns))
  }

  /// A vector: one row.
  public init(row values: [Double]) { self.init(1, values.count, values) }

  /// The number of elements.
  public var count: Int { values.count }

  /// The element in a row and a column.
  public subscript(row: Int, column: Int) -> Double {
    get { values[row * columns + column] }
    set { values[row * columns + column] = newValue }
  }

  /// One row.
  public func row(_ index: Int) -> [Double] { Array(values[index * columns..<(index + 1) * columns]) }

  /// A function of every element.
  public func map(_ function: (Double) -> Double) -> Matrix { Matrix(rows, columns, values.map(function)) }

  /// A function of every pair of elements in the same row and column.
  public func zip(_ other: Matrix, _ function: (Double, Double) -> Double) -> Matrix {
    require(
      rows == other.rows && columns == other.columns,
      "Matrix: expected \(rows) × \(columns) elements, found \(other.rows) × \(other.columns)")
    return Matrix(rows, columns, values.indices.map { function(values[$0], other.values[$0]) })
  }

  /// The sum, element by element.
  public static func + (a: Matrix, b: Matrix) -> Matrix { a.zip(b) { $0 + $1 } }
}

/// Tensors by name: the weights of a network, their gradients, what is trained.
///
/// The names are those of the library's sites, `vision.blocks.0.attention.query`, and of its delta files.
public typealias Parameters = [String: Matrix]

extension Parameters {
  /// The tensor of a name that must be there.
  func required(_ name: String) -> Matrix {
    guard let tensor = self[name] else { fatalError("Parameters: expected a tensor \(name), found none") }
    return tensor
  }
}

/// The uniform random numbers in [0, 1) of one training step, by the name of what they decide on.
///
/// They are given, not drawn, so that a step can be repeated by any other program.
public typealias Draws = [String: [Double]]

/// Stops with a message where a caller is wrong.
func require(_ condition: Bool, _ message: @autoclosure () -> String) {
  if !condition { fatalError(message()) }
}
