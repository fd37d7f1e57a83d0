import Formats
import Foundation
import Tensor

/// One case of a folder of golden files: inputs and expected outputs in one file, hyper-parameters beside it.
package struct GoldenCase: Sendable, CustomStringConvertible {
  /// Its name, which a failing test shows.
  package let name: String
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

  /// Its name.
  package var description: String { name }

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

extension Fixtures {
  /// The cases of a folder of golden files in the order of its index, or those of one operation.
  ///
  /// None where the folder is absent, so that this can be the argument list of a test; traps on a broken index.
  package static func cases(_ folder: String, op: String? = nil) -> [GoldenCase] {
    guard has("\(folder)/index.json") else { return [] }
    let cases = json("\(folder)/index.json")["cases"].array ?? []
    precondition(!cases.isEmpty, "\(folder)/index.json: expected cases, found none")
    return cases.filter { op == nil || $0["op"].string == op }
      .map { entry in
        GoldenCase(
          name: entry["name"].string ?? "?", op: entry["op"].string ?? "?", args: entry["args"],
          rtol: entry["rtol"].double ?? 0, atol: entry["atol"].double ?? 0, fields: entry,
          url: url(folder).appendingPathComponent(entry["file"].string ?? ""))
      }
  }

  /// The case of a folder with a name; traps if there is none.
  package static func golden(_ folder: String, _ name: String) -> GoldenCase {
    guard let found = cases(folder).first(where: { $0.name == name }) else {
      preconditionFailure("\(folder): expected a case \(name), found none")
    }
    return found
  }

  /// A JSON file among the golden files; traps if it is absent or broken.
  package static func json(_ name: String) -> JSONValue {
    do { return try JSONDecoder().decode(JSONValue.self, from: Data(contentsOf: url(name))) } catch {
      preconditionFailure("\(name): expected JSON, found \(error)")
    }
  }
}
