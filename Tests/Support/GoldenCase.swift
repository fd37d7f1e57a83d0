import Formats
import Foundation
import Tensor
import Testing

/// One case of a folder of golden files: inputs and expected outputs in one file, hyper-parameters beside it.
package struct GoldenCase: Sendable, CustomStringConvertible {
  /// Its name.
  package let name: String
  /// The folder it is of.
  package let set: GoldenSet
  /// Where that folder is.
  package let root: GoldenRoot
  /// What it is a case of: "linear", "read".
  package let op: String
  /// The hyper-parameters.
  package let args: JSONValue
  /// The relative tolerance: a case passes where |got − want| ≤ atol + rtol |want|.
  package let rtol: Double
  /// The absolute tolerance.
  package let atol: Double
  /// The whole entry of the index, for members that only some folders have.
  package let fields: JSONValue
  /// The file with its tensors; the folder itself if the entry names none.
  package let url: URL

  /// Its name and root, which a failing test shows.
  package var description: String { "\(name) (\(root))" }

  /// The case of a name in the same folder.
  package func sibling(_ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> GoldenCase {
    try set.golden(name, in: root, sourceLocation: sourceLocation)
  }

  /// The file of the case, opened.
  package func file() throws -> SafeTensorsFile { try SafeTensorsFile(contentsOf: url) }

  /// All tensors of the file whose elements `Real` can hold; integers too large for it must be read from `file`.
  package func tensors() throws -> [String: Tensor] {
    let file = try file()
    var tensors: [String: Tensor] = [:]
    for name in file.names {
      do { tensors[name] = try file.tensor(name) } catch {
        guard try !file.entry(name).type.isFloatingPoint else { throw error }
      }
    }
    return tensors
  }
}

extension GoldenCase {
  /// The integers of a tensor, such as labels or token ids, each from 0 to below a limit.
  package func integers(
    _ name: String, below limit: Int, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> [Int32] {
    let integers = try file().integers(name)
    let outside = integers.first { $0 < 0 || $0 >= limit }
    try #require(
      outside == nil, "\(self.name): \(name): expected integers below \(limit)", sourceLocation: sourceLocation)
    return integers.map { Int32($0) }
  }
}

extension GoldenSet {
  /// The cases of the folder in the order of its index, or those of one operation.
  ///
  /// None where the index is absent or broken; `GoldenSetTests` fails on such an index.
  package func cases(op: String? = nil, in root: GoldenRoot = .ofTheTest) -> [GoldenCase] {
    ((try? json("index.json", in: root))?["cases"].array ?? []).filter { op == nil || $0["op"].string == op }
      .map { entry in
        GoldenCase(
          name: entry["name"].string ?? "?", set: self, root: root, op: entry["op"].string ?? "?",
          args: entry["args"], rtol: entry["rtol"].double ?? 0, atol: entry["atol"].double ?? 0, fields: entry,
          url: url(entry["file"].string ?? "", in: root))
      }
  }

  /// The cases of all roots: the argument list of a test of `.goldenCases(…)`.
  package func foundCases(op: String? = nil) -> [GoldenCase] { GoldenRoot.all.flatMap { cases(op: op, in: $0) } }

  /// The case of a name.
  package func golden(
    _ name: String, in root: GoldenRoot = .ofTheTest, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> GoldenCase {
    try #require(
      cases(in: root).first { $0.name == name }, "\(rawValue): expected a case \(name), found none",
      sourceLocation: sourceLocation)
  }

  /// A JSON file of the folder.
  package func json(_ name: String, in root: GoldenRoot = .ofTheTest) throws -> JSONValue {
    try JSONDecoder().decode(JSONValue.self, from: Data(contentsOf: url(name, in: root)))
  }
}

extension [String: Tensor] {
  /// The tensor of a name, and of a shape if one is given, in which `nil` stands for any extent.
  ///
  /// A set of other shapes than it says fails its test here, where a trap in an operation would end the whole run.
  package func required(
    _ name: String, _ extents: [Int?]? = nil, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> Tensor {
    let tensor = try #require(self[name], "expected a tensor \(name), found none", sourceLocation: sourceLocation)
    guard let extents else { return tensor }
    let found = tensor.shape.extents
    let wanted = extents.map { $0.map(String.init) ?? "any" }.joined(separator: ", ")
    try #require(
      found.count == extents.count && zip(found, extents).allSatisfy { $1 == nil || $0 == $1 },
      "\(name): expected shape [\(wanted)], found \(tensor.shape)", sourceLocation: sourceLocation)
    return tensor
  }
}

extension Tensor {
  /// The same elements in another shape, which must have as many.
  package func required(as shape: Shape, sourceLocation: SourceLocation = #_sourceLocation) throws -> Tensor {
    try #require(
      self.shape.count == shape.count, "expected \(shape.count) elements of \(shape), found \(self.shape)",
      sourceLocation: sourceLocation)
    return reshaped(to: shape)
  }
}
