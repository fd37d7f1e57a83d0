import Formats
import Tensor

/// A checkpoint whose tensors are not those of its configuration.
public enum WeightsError: Error, CustomStringConvertible, Equatable {
  /// A tensor that the model needs is missing.
  case missing(file: String, tensor: String, expected: Shape)
  /// Tensors that are unknown to the model.
  case surplus(file: String, tensors: [String])
  /// A tensor of another shape.
  case shape(file: String, tensor: String, expected: Shape, found: Shape, hint: String)
  /// A tensor that could not be read.
  case unreadable(String)

  /// The message: expected and found.
  public var description: String {
    switch self {
    case .missing(let file, let tensor, let expected):
      return "\(file): tensor \"\(tensor)\": expected shape \(expected), found no such tensor"
    case .surplus(let file, let tensors):
      let shown = tensors.prefix(5).map { "\"\($0)\"" }.joined(separator: ", ")
      let rest = tensors.count > 5 ? " and \(tensors.count - 5) more" : ""
      return "\(file): expected only tensors of the model its configuration describes, found \(shown)\(rest)"
    case .shape(let file, let tensor, let expected, let found, let hint):
      return "\(file): tensor \"\(tensor)\": expected shape \(expected), found \(found)\(hint)"
    case .unreadable(let reason):
      return reason
    }
  }
}

/// Reads the tensors of a checkpoint by canonical name, and detects missing, misshapen and surplus ones.
package struct WeightReader {
  private let source: any TensorSource
  private let layout: WeightLayout
  private var used: Set<String> = []
  /// The resampling of positions of another patch grid; none by default.
  package var resampling: PositionResampling?

  package init(_ source: any TensorSource, _ layout: WeightLayout) { (self.source, self.layout) = (source, layout) }

  /// The tensor of a site, of the given shape.
  package mutating func parameter(_ site: Site, _ shape: Shape) throws(WeightsError) -> Parameter {
    Parameter(site, try tensor(site.name, shape))
  }

  /// A tensor under its canonical name, of the given shape.
  package mutating func tensor(_ name: String, _ shape: Shape) throws(WeightsError) -> Tensor {
    guard let rule = layout.rule(for: name) else {
      trap("WeightReader: expected a rule for \(name) in layout \(layout.name), found none")
    }
    let stored = rule.form.storedShape(of: shape)
    guard let found = source.shape(of: rule.name) else {
      throw .missing(file: source.label, tensor: rule.name, expected: stored)
    }
    guard found == stored else {
      let isTransposed = found.rank == 2 && found.extents == stored.extents.reversed()
      throw .shape(
        file: source.label, tensor: rule.name, expected: stored, found: found,
        hint: isTransposed ? " (transposed?)" : "")
    }
    used.insert(rule.name)
    let tensor: Tensor
    do { tensor = rule.form.canonical(try source.tensor(rule.name), shape) } catch { throw .unreadable("\(error)") }
    if let index = tensor.firstNonFinite {
      throw .unreadable(
        "\(source.label): tensor \"\(layout.fullNames[rule.name] ?? rule.name)\": expected finite numbers, "
          + "found \(tensor.values[index]) (broken in training or by a conversion)")
    }
    return tensor
  }

  /// The positions of a square of patches, `side` · `side`, after those of `prefix` other tokens: resized if the
  /// checkpoint has them for another square and the reader resizes.
  package mutating func positions(
    _ site: Site, prefix: Int, side: Int, width: Int
  ) throws(WeightsError) -> Parameter {
    guard let resampling, let stored = CanonicalShapes(source: source, layout: layout).positions(site.name, prefix),
      stored.side != side
    else { return try parameter(site, [prefix + side * side, width]) }
    let positions = try tensor(site.name, [stored.count, width])
    return Parameter(
      site, resampling.resized(positions, prefix: prefix, from: (stored.side, stored.side), to: (side, side)))
  }

  /// A tensor of variances, which are 0 or more.
  package mutating func variance(_ name: String, _ shape: Shape) throws(WeightsError) -> Tensor {
    let variance = try tensor(name, shape)
    if let negative = variance.values.first(where: { !($0 >= 0) }) {
      let stored = layout.rule(for: name)?.name ?? name
      throw .unreadable("\(source.label): tensor \"\(stored)\": expected variances of 0 or more, found \(negative)")
    }
    return variance
  }

  /// A tensor of numbers above 0.
  package mutating func positive(_ name: String, _ shape: Shape) throws(WeightsError) -> Tensor {
    let tensor = try tensor(name, shape)
    if let wrong = tensor.values.first(where: { !($0 > 0) }) {
      let stored = layout.rule(for: name)?.name ?? name
      throw .unreadable("\(source.label): tensor \"\(stored)\": expected numbers above 0, found \(wrong)")
    }
    return tensor
  }

  /// Skips the tensor of a canonical name, whatever its shape.
  package mutating func skip(_ name: String) {
    if let rule = layout.rule(for: name) { used.insert(rule.name) }
  }

  /// Checks that every tensor of the checkpoint was read.
  package func finish() throws(WeightsError) {
    // Tensors without elements, such as those of no registers, hold nothing.
    let surplus = source.names.filter {
      !used.contains($0) && !layout.isIgnored($0) && source.shape(of: $0)?.count != 0
    }.sorted()
    if !surplus.isEmpty { throw .surplus(file: source.label, tensors: surplus) }
  }
}
