import Formats
import Foundation
import Synchronization
import Testing

/// The golden files of the image suites of one root: an index of cases, and safetensors files of expected pixels.
package struct ImageGoldenFiles: Sendable {
  package struct Case: Sendable, CustomTestStringConvertible {
    package let name: String
    package let file: String
    package let operation: String
    package let arguments: String
    package let tensor: String
    package let maximum: Int
    package let mean: Double
    /// The files it is one of.
    package let files: ImageGoldenFiles
    package var testDescription: String { "\(name) (\(files.root))" }
  }

  package let root: GoldenRoot

  /// Those of every root.
  package static let all = GoldenRoot.all.map { ImageGoldenFiles($0) }

  /// Those that the running test is to read.
  package static var ofTheTest: ImageGoldenFiles { ImageGoldenFiles(.ofTheTest) }

  private init(_ root: GoldenRoot) { self.root = root }

  private var cases: [Case] {
    guard let index = json("index.json") as? [String: Any], let list = index["cases"] as? [[String: Any]] else {
      return []
    }
    return list.map { entry in
      Case(
        name: entry["name"] as? String ?? "", file: entry["file"] as? String ?? "",
        operation: entry["op"] as? String ?? "", arguments: Self.string(entry["args"] ?? [:]),
        tensor: entry["tensor"] as? String ?? "", maximum: entry["max_abs_diff"] as? Int ?? 0,
        mean: entry["mean_abs_diff"] as? Double ?? 0, files: self)
    }
  }

  /// The cases of an operation of all roots, as arguments of a test.
  package static func cases(_ operation: String) -> [Case] {
    all.flatMap(\.cases).filter { $0.operation == operation }
  }

  package static func arguments(_ entry: Case) -> [String: Any] {
    (try? JSONSerialization.jsonObject(with: Data(entry.arguments.utf8))) as? [String: Any] ?? [:]
  }

  private func json(_ name: String) -> Any? {
    guard let data = try? Data(contentsOf: GoldenSet.images.url(name, in: root)) else { return nil }
    return try? JSONSerialization.jsonObject(with: data)
  }

  private static func string(_ object: Any) -> String {
    (try? JSONSerialization.data(withJSONObject: object)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
  }

  package func bytes(_ file: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: GoldenSet.images.url(file, in: root)))
  }

  package func image(_ file: String) throws -> Image { try Image.decode(bytes(file), name: file) }

  /// The tensors of a file, read once.
  package func tensors(_ file: String) throws -> Tensors {
    let key = "\(root) \(file)"
    if let known = Self.read.withLock({ $0[key] }) { return known }
    let tensors = try Tensors(file, in: self)
    Self.read.withLock { $0[key] = tensors }
    return tensors
  }

  private static let read = Mutex<[String: Tensors]>([:])
}

/// Just enough of safetensors for expected values: a header of names, shapes and offsets, then the data.
package struct Tensors: Sendable {
  package struct Entry: Sendable {
    package let shape: [Int]
    package let range: Range<Int>
  }

  private let bytes: [UInt8]
  package private(set) var entries: [String: Entry] = [:]

  fileprivate init(_ file: String, in files: ImageGoldenFiles) throws {
    let bytes = try files.bytes(file)
    try #require(bytes.count >= 8)
    let length = (0..<4).reduce(0) { $0 | Int(bytes[$1]) << (8 * $1) }
    let start = 8 + length
    try #require(start <= bytes.count, "\(file): expected \(length) bytes of a header, found \(bytes.count - 8)")
    self.bytes = bytes
    let header = try JSONSerialization.jsonObject(with: Data(bytes[8..<start])) as? [String: Any] ?? [:]
    for (name, value) in header {
      guard let value = value as? [String: Any], let shape = value["shape"] as? [Int],
        let offsets = value["data_offsets"] as? [Int], offsets.count == 2, 0 <= offsets[0], offsets[0] <= offsets[1],
        offsets[1] <= bytes.count - start
      else { continue }
      entries[name] = Entry(shape: shape, range: start + offsets[0]..<start + offsets[1])
    }
  }

  package func bytes(_ name: String) -> [UInt8]? { entries[name].map { Array(bytes[$0.range]) } }

  package func floats(_ name: String) -> [Float]? {
    bytes(name)?.withUnsafeBytes { raw in
      (0..<raw.count / 4).map { raw.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
    }
  }
}

/// How far two lists of 8-bit levels are apart.
package struct LevelDifference {
  package var maximum = 0
  package var mean = 0.0

  package init(_ first: [UInt8], _ second: [UInt8]) {
    var sum = 0
    for (one, other) in zip(first, second) {
      let difference = abs(Int(one) - Int(other))
      maximum = max(maximum, difference)
      sum += difference
    }
    mean = first.isEmpty ? 0 : Double(sum) / Double(first.count)
  }
}
