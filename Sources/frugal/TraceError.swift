import Formats
import Tensor

/// A file that `grade` cannot compare: exit code 2.
enum TraceError: Error, Equatable, CustomStringConvertible {
  /// An unreadable safetensors file, or one with tensors of types other than F32 and F64.
  case file(WeightFileError)
  /// A safetensors file without tensors, which would be the same as any other of its kind.
  case empty(file: String)
  /// A reference, rubric, manifest or map of names that is not what was expected, by its message.
  case basis(String)

  var description: String {
    switch self {
    case .file(let error): error.description
    case .basis(let text): text
    case .empty(let file): "\(file): expected tensors, found none"
    }
  }
}

/// Traces that are not the same: exit code 1.
struct DifferentTraces: Error, Equatable, CustomStringConvertible {
  let description: String
}
