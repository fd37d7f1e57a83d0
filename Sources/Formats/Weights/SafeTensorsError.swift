/// What can be wrong with a safetensors file, a sharded checkpoint, or a request for one of its tensors.
public enum SafeTensorsError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The file cannot be opened or read.
  case unreadable(FileError)
  /// The header or the shard index is not what the format demands.
  case malformed(file: String, expected: String, found: String)
  /// The header entry of one tensor is wrong, or the tensor is not of the kind asked for.
  case tensor(file: String, name: String, expected: String, found: String)
  /// There is no tensor of that name.
  case missing(file: String, name: String)

  /// What was expected and what was found.
  public var description: String {
    switch self {
    case .unreadable(let error): error.description
    case .malformed(let file, let expected, let found): "\(file): expected \(expected), found \(found)"
    case .tensor(let file, let name, let expected, let found):
      "\(file): tensor \(quoted(name)): expected \(expected), found \(found)"
    case .missing(let file, let name): "\(file): expected a tensor \(quoted(name)), found none of that name"
    }
  }
}
