import Foundation
import Tensor

/// A container of named tensors.
public protocol TensorSource {
  /// Its name in messages: the file's name.
  var label: String { get }
  /// The names of its tensors.
  var names: [String] { get }
  /// The extents of a tensor, without reading it; `nil` if there is none of this name.
  func shape(of name: String) -> Shape?
  /// A tensor as elements of type `Real`.
  ///
  /// Floating-point elements are rounded to the nearest `Real`; integers and booleans (0 and 1) are converted exactly
  /// or not at all.
  /// - Throws: an error that names file and tensor, of files a `WeightFileError`, if there is no such tensor, if its
  ///   data are damaged, or if an integer in it is one that `Real` cannot hold.
  func tensor(_ name: String) throws -> Tensor
}

/// A file of named tensors, opened by mapping and read one tensor at a time, whatever its format.
///
/// - `SafeTensorsFile`: safetensors; `NumPyFile`: `.npy` and `.npz`; `TorchFile`: PyTorch checkpoints.
public protocol WeightFile: TensorSource, Sendable {
  /// The file, as it was named; errors begin with it.
  var file: String { get }
  /// The kind of file: "safetensors file".
  var format: String { get }
  /// The length of the file in bytes.
  var byteCount: Int { get }
  /// The SHA-256 of the whole file.
  var sha256: SHA256.Digest { get }
  /// The type in which the elements of a tensor are stored; `nil` if there is none of this name.
  func type(of name: String) -> ElementType?
  /// The elements of a tensor of an integer type or of booleans, in row-major order.
  ///
  /// - Throws: `WeightFileError`, as `tensor` does and for floating-point numbers.
  func integers(_ name: String) throws -> [Int64]
  /// The elements of a tensor in double precision, in row-major order, whatever the precision of this build.
  ///
  /// Floating-point elements keep every bit; integers of more than 53 bits are rounded.
  /// - Throws: `WeightFileError` if there is no such tensor or its data are damaged.
  func doubles(_ name: String) throws -> [Double]
}

extension WeightFile {
  /// The name of the file.
  public var label: String { file }
}

extension SafeTensorsFile: WeightFile {
  /// The kind of file.
  public var format: String { "safetensors file" }
  /// The type in which the elements of a tensor are stored; `nil` if there is none of this name.
  public func type(of name: String) -> ElementType? { contains(name) ? try? entry(name).type : nil }
  /// The extents of a tensor, without reading it; `nil` if there is none of this name.
  public func shape(of name: String) -> Shape? { contains(name) ? try? entry(name).shape : nil }
}

/// What can be wrong with a weight file or a shard index, or with a request for one of its tensors.
public enum WeightFileError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The file cannot be opened or read.
  case unreadable(FileError)
  /// The file breaks a rule of its format.
  case malformed(file: String, expected: String, found: String)
  /// One tensor is wrong, or not of the requested kind.
  case tensor(file: String, name: String, expected: String, found: String)
  /// There is no tensor of that name.
  case missing(file: String, name: String)
  /// The pickle of the file mentions something that tensors do not need, which may be code.
  case refused(file: String, global: String)

  /// The message: expected and found.
  public var description: String {
    switch self {
    case .unreadable(let error): error.description
    case .malformed(let file, let expected, let found): "\(file): expected \(expected), found \(found)"
    case .tensor(let file, let name, let expected, let found):
      "\(file): tensor \(quoted(name)): expected \(expected), found \(found)"
    case .missing(let file, let name): "\(file): expected a tensor \(quoted(name)), found none of that name"
    case .refused(let file, let global):
      "\(file): expected a pickle of tensors and plain values, found the global \(quoted(global)), which is refused; "
        + "nothing was called (save only the state dictionary to avoid it)"
    }
  }
}

extension MappedFile {
  /// The SHA-256 of the whole file.
  var sha256: SHA256.Digest {
    withBytes { bytes in
      var hash = SHA256()
      hash.update(bytes)
      return hash.digest
    }
  }
}
