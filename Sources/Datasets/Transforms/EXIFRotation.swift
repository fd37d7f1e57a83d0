import Formats
import Synchronization

/// The treatment of photos whose file says that they do not stand upright (EXIF 2.3, section 4.6.4).
public enum EXIFRotation: String, Sendable, Codable, CaseIterable {
  /// They are rotated and mirrored until they do, as viewers show them.
  case rotate
  /// Their pixels are used as stored, as the published pipelines do.
  case ignore

  /// The image as it is used; one that is turned is noted in `RotatedPictures`.
  func applied(to image: Image, named name: String) -> Image {
    guard self == .rotate, image.orientation != .upright else { return image }
    RotatedPictures.add(name)
    return image.upright()
  }
}

/// The photos that were rotated as their files say: for a word to the user when all is done.
package enum RotatedPictures {
  private static let found = Mutex<Set<String>>([])

  /// Notes a photo, once by its name.
  static func add(_ name: String) { found.withLock { _ = $0.insert(name) } }

  /// Their number; they are forgotten.
  package static func take() -> Int {
    found.withLock { found in
      defer { found = [] }
      return found.count
    }
  }
}
