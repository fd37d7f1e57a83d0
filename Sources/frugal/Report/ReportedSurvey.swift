import Formats
import Foundation
import Tensor

/// The output of `frugal sensitivity` in a folder.
struct ReportedSurvey {
  let name: String
  let found: SensitivityReport.Allocations

  /// Returns whether a folder holds one.
  static func isSurvey(_ folder: URL) -> Bool {
    ["allocations.json", "sensitivity.safetensors"].allSatisfy {
      FileManager.default.fileExists(atPath: folder.appendingPathComponent($0).path)
    }
  }

  /// Reads `allocations.json`.
  ///
  /// - Throws: `ReportError` for other contents.
  init(_ folder: URL, named name: String) throws(ReportError) {
    let file = folder.appendingPathComponent("allocations.json")
    guard let bytes = try? MappedFile.bytes(of: file),
      let found = try? JSONDecoder().decode(SensitivityReport.Allocations.self, from: Data(bytes)),
      found.mostSensitive?.sites.values.allSatisfy({ (0...(1 << 40)).contains($0) }) ?? true
    else { throw ReportError("allocations.json: expected the output of frugal sensitivity, found other contents") }
    (self.name, self.found) = (name, found)
  }
}
