import Formats
import Foundation
import Tensor

/// A tensor of a reference or a submission, in double precision.
struct GradedTensor: Sendable, Equatable {
  /// The type that its elements are stored in.
  let type: ElementType
  let shape: [Int]
  let values: [Double]

  /// `F64 [3, 7]`
  static func title(_ type: ElementType, _ shape: [Int]) -> String { "\(type.rawValue) \(Shape(shape))" }
}

/// Named tensors to be graded: a file of weights in any format that is read, or a folder of `.npy` files.
///
/// Nothing in them is executed: a pickle that asks for more than tensors is refused.
struct GradedFiles {
  /// The file or folder, as it was named.
  let label: String
  /// The names of the tensors, sorted, those of damaged files in a folder included.
  let names: [String]
  /// The strings of a safetensors file's metadata.
  private(set) var metadata: [String: String] = [:]
  private var files: [String: any WeightFile] = [:]
  private var problems: [String: any Error] = [:]

  /// Opens a file or folder.
  ///
  /// - Throws: `WeightFileError` or `FileError` for one that cannot be read or holds no tensors.
  init(_ path: String) throws {
    let url = URL(fileURLWithPath: path)
    label = url.shown
    guard try FolderListing.kind(of: url).kind == .folder else {
      let file = try WeightFiles.open(url)
      names = file.names.sorted()
      metadata = (file as? SafeTensorsFile)?.metadata ?? [:]
      for name in names { files[name] = file }
      guard !names.isEmpty else { throw FileError(file: label, expected: "tensors", found: "none") }
      return
    }
    let suffix = ".npy"
    let found = try FolderListing.names(in: url).filter { $0.hasSuffix(suffix) }
    guard !found.isEmpty else { throw FileError(file: label, expected: "files NAME.npy", found: "none") }
    names = found.map { String($0.dropLast(suffix.count)) }
    for (name, file) in zip(names, found) {
      do { files[name] = try NumPyFile(contentsOf: url.appendingPathComponent(file)) } catch {
        problems[name] = error
      }
    }
  }

  /// Returns whether there is a tensor of that name, readable or not.
  func contains(_ name: String) -> Bool { files[name] != nil || problems[name] != nil }

  /// Type and shape of a tensor, without reading it.
  func form(of name: String) -> (type: ElementType, shape: [Int])? {
    guard let file = files[name], let inner = innerName(name, file), let type = file.type(of: inner),
      let shape = file.shape(of: inner)
    else { return nil }
    return (type, shape.extents)
  }

  /// A tensor.
  ///
  /// - Throws: what is wrong with it or its file.
  func tensor(_ name: String) throws -> GradedTensor {
    if let problem = problems[name] { throw problem }
    guard let file = files[name], let inner = innerName(name, file), let form = form(of: name) else {
      throw WeightFileError.missing(file: label, name: name)
    }
    return GradedTensor(type: form.type, shape: form.shape, values: try file.doubles(inner))
  }

  /// The name within the file: that of a single array is its file's.
  private func innerName(_ name: String, _ file: any WeightFile) -> String? {
    file.type(of: name) != nil ? name : file.names.count == 1 ? file.names[0] : nil
  }
}
