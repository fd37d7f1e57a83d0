/// The reason why an image could not be read. Its text names the file, what was expected and what was found.
public struct ImageError: Error, Equatable, CustomStringConvertible {
  /// The problem, without the file's name.
  public enum Problem: Error, Equatable {
    /// The file cannot be opened or read.
    case unreadable(String)
    /// The file, or the image it claims to hold, is larger than this reader accepts.
    case tooLarge(expected: String, found: String)
    /// A format, or a part of one, that this reader does not support.
    case unsupported(expected: String, found: String)
    /// The file breaks the rules of its format.
    case malformed(expected: String, found: String)
    /// The file ends inside the named part.
    case truncated(in: String)
  }

  /// The name of the file, as the caller gave it.
  public let name: String
  /// The problem.
  public let problem: Problem

  /// A problem of a file.
  package init(name: String, problem: Problem) {
    self.name = name
    self.problem = problem
  }

  /// The message: expected and found.
  public var description: String {
    switch problem {
    case .unreadable(let reason): "\(name): cannot be read: \(reason)"
    case .tooLarge(let expected, let found), .unsupported(let expected, let found),
      .malformed(let expected, let found):
      "\(name): expected \(expected), found \(found)"
    case .truncated(let part): "\(name): expected the rest of \(part), found the end of the file"
    }
  }
}
