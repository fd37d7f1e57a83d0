import Formats
import Foundation
import Tensor

/// How images without splits are divided: shares of train, val and test, drawn with a seed.
///
/// Each image is drawn by the digest of its contents, so that it stays where it is when others are added, removed or
/// renamed, and copies of one image are never on both sides. The shares are therefore reached on average only.
public struct DrawnSplit: Sendable, Codable, Hashable {
  /// The shares, each from 0 to 1; their sum is 1.
  public let train, validation, test: Double
  /// The seed.
  public private(set) var seed: Int

  /// Shares of train, val and test, or of train and test; `nil` if they are negative or their sum is not 1.
  public init?(shares: [Double], seed: Int) {
    guard shares.count == 2 || shares.count == 3, shares.allSatisfy({ $0 >= 0 && $0 <= 1 }),
      abs(shares.reduce(0, +) - 1) < 1e-6
    else { return nil }
    (train, test, self.seed) = (shares[0], shares[shares.count - 1], seed)
    validation = shares.count == 3 ? shares[1] : 0
  }

  /// The same shares, drawn with another seed.
  package func drawn(by seed: Int) -> DrawnSplit {
    var split = self
    split.seed = seed
    return split
  }

  private enum CodingKeys: String, CodingKey {
    case train
    case validation = "val"
    case test, seed
  }

  /// The parts of some images.
  func parts(of items: [LabelledImage]) -> [SplitName] {
    var parts = [SplitName](repeating: .train, count: items.count)
    parts.withUnsafeMutableBufferPointer { parts in
      // Each piece writes its own part.
      let parts = parts.baseAddress
      Parallel.forEach(items.count) { index in parts?[index] = part(of: items[index]) }
    }
    return parts
  }

  private func part(of item: LabelledImage) -> SplitName {
    // A file that cannot be read is drawn by its name; whoever reads the image says so.
    let digest: SHA256.Digest
    do throws(FileError) { digest = try SHA256.digest(of: item.url) } catch {
      digest = SHA256.digest(of: Array(item.name.utf8))
    }
    let key = SHA256.digest(of: Array("\(seed) \(digest)".utf8)).description.prefix(13)
    // 13 hexadecimal digits are 52 bits.
    let draw = Double(UInt64(key, radix: 16) ?? 0) / 0x1p52
    if draw < train { return .train }
    return draw < 1 - test || test == 0 ? (validation > 0 ? .validation : .train) : .test
  }
}

/// A part of a dataset.
enum SplitName: String, CaseIterable {
  case train
  case validation = "val"
  case test

  /// The part that a folder or a field of a list names, in either case: validation has three names.
  init?(_ text: String) {
    switch text.lowercased() {
    case "train": self = .train
    case "val", "valid", "validation": self = .validation
    case "test": self = .test
    default: return nil
    }
  }
}
