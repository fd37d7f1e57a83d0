import Formats
import Foundation
import Tensor

extension Exercise {
  /// The student of the public numbers.
  static let publicStudent = "public"

  /// Writes the assignment of one student; with answers, for the one who grades.
  ///
  /// - Throws: `FileError` if something of that name is there.
  func write(student: String, answers: Bool, to url: URL) throws {
    let folder = try AtomicFolder(url)
    let root = folder.url
    func write(_ text: String, _ name: String) throws {
      try AtomicFile.write(
        Array(text.utf8), to: root.appendingPathComponent(name), flushing: false)
    }
    try write(statement(student: student), "statement.md")
    try write(pythonStarter, "solution.py")
    try write(swiftStarter, "Solution.swift")
    try write(
      String(decoding: try JSON.encoded(rubric, isPretty: true), as: UTF8.self) + "\n",
      "rubric.json")
    let open = instance(.publicCheck, student: Self.publicStudent)
    try writeInputs(open, to: root.appendingPathComponent("public/inputs"))
    try writeReference(open, to: root.appendingPathComponent("public/check.safetensors"))
    let own = instance(.own, student: student)
    try writeInputs(own, to: root.appendingPathComponent("inputs"))
    if answers {
      try writeReference(own, to: root.appendingPathComponent("answers.safetensors"))
    }
    try folder.commit()
  }

  /// One `.npy` file per given tensor.
  func writeInputs(_ values: ExerciseValues, to folder: URL) throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for input in inputs {
      let bytes = NumPyWriter.bytes(
        values[input.name].values, shape: Shape(shape(input.name, values)))
      try AtomicFile.write(
        bytes, to: folder.appendingPathComponent("\(input.name).npy"), flushing: false)
    }
  }

  /// All tensors with their manifest.
  func writeReference(_ values: ExerciseValues, to url: URL) throws {
    let manifest = String(decoding: try JSON.encoded(manifest), as: UTF8.self)
    var writer = SafeTensorsWriter(metadata: [Manifest.key: manifest])
    for name in inputs.map(\.name) + steps.map(\.name) {
      writer.add(name, doubles: values[name].values, shape: Shape(shape(name, values)))
    }
    try writer.write(to: url)
  }

  /// The name of a student's folder: the id, with what a file's name should not have as `%` and two digits.
  static func folderName(_ student: String) -> String {
    let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_@+.".utf8)
    let bytes = Array(student.utf8)
    let name = bytes.enumerated().map { index, byte in
      plain.contains(byte) && !(index == 0 && byte == UInt8(ascii: "."))
        ? String(UnicodeScalar(byte))
        : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }.joined()
    // Long ids keep their beginning, and a digest of the whole.
    return name.utf8.count <= 120
      ? name : String(name.prefix(100)) + "-" + "\(SHA256.digest(of: bytes))".prefix(16)
  }
}
