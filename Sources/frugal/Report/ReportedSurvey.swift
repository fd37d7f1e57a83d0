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
      let found = try? JSON.decoded(SensitivityReport.Allocations.self, from: bytes), found.isPlausible
    else { throw ReportError("allocations.json: expected the output of frugal sensitivity, found other contents") }
    (self.name, self.found) = (name, found)
  }
}

extension SensitivityReport.Allocations {
  /// True if all counts are counts.
  fileprivate var isPlausible: Bool {
    func isCount(_ value: Int) -> Bool { (0...(1 << 40)).contains(value) }
    return allocations.allSatisfy { entry in
      [entry.budget, entry.threshold, entry.total, entry.structured, entry.unstructured, entry.classToken].allSatisfy(
        isCount) && entry.entries.values.allSatisfy(isCount)
    } && isCount(samples) && isCount(batch) && isCount(mostSensitive?.count ?? 0)
      && (mostSensitive?.sites ?? [:]).values.allSatisfy(isCount)
  }
}
