import Foundation
import FrugalTestSupport
import Tensor
import Testing

/// The tiny model and the pictures every clone carries, and copies of them to be damaged.
enum Workbench {
  static let model = Fixtures.embedded.appendingPathComponent("tiny-clip").path
  static let pictures = Fixtures.embedded.appendingPathComponent("pictures").path

  /// Flags of a run that takes half a second: eight pictures, two steps an epoch, masks that do flip; with fewer
  /// pictures they may not, and the run begins all the same.
  static func quickRun(_ method: String, out: URL, model: String = model, data: String = pictures) -> [String] {
    [
      "tune", "--model", model, "--data", data, "--method", method, "--shots", "2", "--epochs", "3", "--batch", "4",
      "--lr", "0.002", "--template", "a {}", "--force", "--out", out.path,
    ]
  }

  /// The classes of the pictures.
  static let classes = ["blue_triangle", "green_square", "red_circle", "yellow_stripes"]

  /// The folder of the model, copied so that it can be changed.
  static func modelCopy() throws -> TemporaryFolder { try copy(of: model, named: "model") }

  /// The folder of the pictures, copied so that it can be changed.
  static func picturesCopy() throws -> TemporaryFolder { try copy(of: pictures, named: "pictures") }

  private static func copy(of path: String, named name: String) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try FileManager.default.copyItem(atPath: path, toPath: folder.url.appendingPathComponent(name).path)
    return folder
  }
}

extension TemporaryFolder {
  /// The path of an entry.
  func path(_ name: String) -> String { url.appendingPathComponent(name).path }

  /// The bytes of a file.
  func bytes(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: url.appendingPathComponent(name))) }

  func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

  func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path(name)) }

  /// Changes the members of the object in a JSON file.
  func editJSON(_ name: String, _ edit: (inout [String: Any]) -> Void) throws {
    let found = try JSONSerialization.jsonObject(with: Data(try bytes(name)))
    var object = try #require(found as? [String: Any])
    edit(&object)
    try write([UInt8](try JSONSerialization.data(withJSONObject: object, options: .sortedKeys)), to: name)
  }

  /// Writes the test pictures of some classes, to test on alone, in the layout of ImageNet-R.
  ///
  /// - Returns: the path of the folder.
  @discardableResult
  func writeVariant(_ root: String, of classes: [String]) throws -> String {
    try write(Workbench.classes.map { "\($0) \($0)\n" }.joined(), to: "\(root)/classnames.txt")
    for name in classes {
      let images = try file("\(root)/imagenet-r/\(name)")
      try FileManager.default.copyItem(atPath: "\(Workbench.pictures)/test/\(name)", toPath: images.path)
    }
    return path(root)
  }

  /// The lines of a run's metrics without what a clock measured.
  func metrics(_ run: String) throws -> [[String: JSONValue]] {
    let text = String(decoding: try bytes("\(run)/metrics.jsonl"), as: UTF8.self)
    return try text.split(separator: "\n").map { line in
      let object = try JSONDecoder().decode(JSONValue.self, from: Data(line.utf8)).object ?? [:]
      return object.filter { $0.key != "seconds" && $0.key != "imagesPerSecond" }
    }
  }

  /// The result of a run.
  func result(_ run: String) throws -> JSONValue {
    try JSONDecoder().decode(JSONValue.self, from: Data(try bytes("\(run)/result.json")))
  }
}

/// Records an issue unless a command failed with this code and said all of these things, on one line of its own.
func expectRefusal(
  _ outcome: FrugalProcess.Outcome, code: Int32, _ texts: [String], sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(outcome.code == code, "\(outcome.errors)", sourceLocation: sourceLocation)
  let line = outcome.errors.split(separator: "\n").last.map(String.init) ?? ""
  #expect(line.hasPrefix("frugal"), sourceLocation: sourceLocation)
  for text in texts {
    #expect(line.contains(text), "\(text) is missing in: \(outcome.errors)", sourceLocation: sourceLocation)
  }
}
