import Datasets
import Formats
import Foundation
import Tensor

/// Everything besides the input that decides a bit of a frozen encoder's features: weights, configuration, the program
/// that computes, and its C library.
struct EncoderIdentity: Sendable {
  private let description: String

  /// The identity of the model of a run.
  ///
  /// - model: as the settings of the run state it; opened: all files that were opened to read it; earlier: the digest
  ///   of the delta that an earlier run made of it, if that is used.
  /// - program: the digest of the program; `nil` where it cannot read itself.
  /// - Returns: `nil` where a part is not known; then nothing is cached.
  init?(
    _ model: RunConfiguration.Model, opened: [URL], earlier: String? = nil, program: String? = Program.sha256
  ) {
    guard let program else { return nil }
    var stated = model
    stated.path = ""
    guard let settings = try? JSON.encoded(stated) else { return nil }
    var lines = [program, String(decoding: settings, as: UTF8.self), "\(Real.self) \(hasFusedMultiplyAdd)"]
    // The weights have a digest in the settings.
    for file in opened where !WeightFiles.extensions.contains(file.pathExtension.lowercased()) {
      guard let digest = try? SHA256.digest(of: file) else { return nil }
      lines.append("\(file.lastPathComponent) \(digest)")
    }
    if let earlier { lines.append("on \(earlier)") }
    description = lines.joined(separator: "\n")
  }

  /// The name under which features of images are kept that are prepared in one way.
  func shelf(_ preprocessing: Preprocessing) -> String { name("images", "\(preprocessing)") }

  /// The name under which features of texts are kept.
  ///
  /// - truncates: whether texts that are too long are cut; cleaning: what is done to them before.
  func shelf(cleaning: String, truncates: Bool) -> String { name("texts", "\(cleaning) \(truncates)") }

  private func name(_ kind: String, _ preparation: String) -> String {
    String(SHA256.digest(of: Array("\(kind)\n\(preparation)\n\(description)".utf8)).description.prefix(32))
  }

  /// The program that is running.
  private enum Program {
    /// The digest of its file and the version of the C library, computed once; `nil` if the file cannot be read.
    static let sha256: String? = {
      let own = URL(fileURLWithPath: "/proc/self/exe")
      let file = FileManager.default.fileExists(atPath: own.path) ? own : Bundle.main.executableURL
      guard let digest = file.flatMap({ try? SHA256.digest(of: $0) }) else { return nil }
      // Rotary positions are made of its sine and cosine.
      #if canImport(Glibc)
        var version = [CChar](repeating: 0, count: 100)
        confstr(Int32(_CS_GNU_LIBC_VERSION), &version, version.count)
        return "\(digest) \(version)"
      #else
        return "\(digest)"
      #endif
    }()
  }
}
