import Formats
import Foundation

/// The statement that comes with a reference: its tensors in the order of calculation, and what each depends on.
///
/// JSON in the metadata of a safetensors file, under `frugal.manifest`, or a file of its own.
struct Manifest: Codable, Sendable, Equatable {
  /// The key of the metadata.
  static let key = "frugal.manifest"

  /// One tensor.
  struct Entry: Codable, Sendable, Equatable {
    let name: String
    /// The number of its formula, and the formula.
    var equation, formula: String?
    /// The site of the network that it belongs to.
    var site: String?
    /// The tensors that it is calculated from.
    var from: [String]?
    /// The number of terms of its longest sum, which bounds its rounding error.
    var terms: Int?
    /// True for an input, which is not graded.
    var isGiven: Bool?
  }

  /// The exercise that can calculate the tensors again, from other inputs.
  var exercise: String?
  var tensors: [Entry]

  /// The manifest of a file.
  ///
  /// - Throws: `FileError` for a file that is none.
  init(contentsOf path: String) throws {
    let url = URL(fileURLWithPath: path)
    try self.init(try MappedFile.bytes(of: url), file: url.shown)
  }

  /// The manifest in the metadata of a reference, if there is one.
  init?(in files: GradedFiles) throws {
    guard let text = files.metadata[Self.key] else { return nil }
    try self.init(Array(text.utf8), file: "\(files.label): \(Self.key)")
  }

  init(exercise: String? = nil, tensors: [Entry]) { (self.exercise, self.tensors) = (exercise, tensors) }

  private init(_ bytes: [UInt8], file: String) throws {
    do { self = try JSON.decoded(Manifest.self, from: bytes) } catch {
      throw FileError(
        file: file, expected: "{\"tensors\": [{\"name\": …, \"from\": […], \"terms\": …}, …]}", found: "something else")
    }
    var known: Set<String> = []
    for entry in tensors {
      guard known.insert(entry.name).inserted else {
        throw FileError(file: file, expected: "every tensor once", found: "\"\(entry.name)\" twice")
      }
    }
    for entry in tensors {
      guard (entry.terms ?? 0) >= 0 else {
        throw FileError(
          file: file, expected: "0 terms or more of \"\(entry.name)\"", found: "\(entry.terms ?? 0)")
      }
      guard let stranger = (entry.from ?? []).first(where: { !known.contains($0) }) else { continue }
      throw FileError(
        file: file, expected: "names of the manifest in \"from\" of \"\(entry.name)\"", found: "\"\(stranger)\"")
    }
  }
}

/// What depends on what.
struct Dependence {
  private let names: [String]
  private let indices: [String: Int]
  /// The tensors that each is calculated from.
  private let parents: [[Int]]

  init(_ manifest: Manifest) {
    names = manifest.tensors.map(\.name)
    let indices = Dictionary(names.enumerated().map { ($1, $0) }) { first, _ in first }
    (self.indices, parents) = (indices, manifest.tensors.map { ($0.from ?? []).compactMap { indices[$0] } })
  }

  /// The tensors that a tensor depends on, directly or not, in their order; never itself.
  func ancestors(of name: String) -> some Sequence<String> {
    var (found, rest) = ([Int](), indices[name].map { [$0] } ?? [])
    if rest.allSatisfy({ parents[$0].isEmpty }) { rest = [] }
    var isFound = [Bool](repeating: false, count: rest.isEmpty ? 0 : names.count)
    for own in rest { isFound[own] = true }
    while let next = rest.popLast() {
      for parent in parents[next] where !isFound[parent] {
        isFound[parent] = true
        found.append(parent)
        rest.append(parent)
      }
    }
    return found.sorted().lazy.map { names[$0] }
  }
}
