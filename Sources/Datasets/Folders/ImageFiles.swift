import Formats
import Foundation

/// Which entries of a folder are images, and which are left by systems and programs and mean nothing.
enum ImageFiles {
  /// Endings of images, those of formats that are refused by name included: none is skipped without a word.
  private static let endings: Set<String> = [
    "jpg", "jpeg", "jpe", "jfif", "png", "apng", "gif", "bmp", "dib", "webp", "tif", "tiff", "ppm", "pgm", "pbm", "pnm",
    "heic", "heif", "avif", "jp2", "j2k", "jxl",
  ]

  private static let litter: Set<String> = [
    "thumbs.db", "ehthumbs.db", "desktop.ini", "@eadir", "#recycle", "__macosx", "$recycle.bin", "lost+found",
    "icon\r", "__pycache__",
  ]

  /// True for hidden entries and for those of macOS, Windows and storage servers.
  static func isLitter(_ name: String) -> Bool { name.hasPrefix(".") || litter.contains(name.lowercased()) }

  /// True if the ending is one of an image, in either case.
  static func isImage(_ name: String) -> Bool {
    guard let dot = name.lastIndex(of: ".") else { return false }
    return endings.contains(name[name.index(after: dot)...].lowercased())
  }

  /// The entries of a folder that are not litter, in byte order.
  static func entries(of folder: URL) throws(ImageFolderError) -> [String] {
    do throws(FileError) { return try FolderListing.names(in: folder).filter { !isLitter($0) } } catch {
      throw .unreadable(error)
    }
  }

  /// The kind of an entry.
  static func kind(of url: URL) throws(ImageFolderError) -> (kind: FileKind, identity: FileIdentity?) {
    do throws(FileError) { return try FolderListing.kind(of: url) } catch { throw .unreadable(error) }
  }
}

/// The images below a class folder at any depth, links followed.
package struct ImageTree {
  /// Their paths below the folder, in byte order.
  package private(set) var images: [String] = []
  /// The paths of files that are no images.
  package private(set) var ignored: [String] = []
  /// The paths of links to folders that were read already, or that hold this one: not followed.
  package private(set) var links: [String] = []
  /// The folders that were read, with their paths.
  private(set) var folders: [FileIdentity: String] = [:]
  private let outer: Set<FileIdentity>

  /// - outer: folders that hold this one.
  /// - Throws: `ImageFolderError.unreadable` for a folder that cannot be listed.
  package init(of folder: URL, in outer: Set<FileIdentity> = []) throws(ImageFolderError) {
    self.outer = outer
    try add(folder, below: "")
    images.sort { FileName.bytes($0).lexicographicallyPrecedes(FileName.bytes($1)) }
  }

  private mutating func add(_ folder: URL, below path: String) throws(ImageFolderError) {
    if let identity = try ImageFiles.kind(of: folder).identity {
      guard folders[identity] == nil, !outer.contains(identity) else {
        links.append(path)
        return
      }
      folders[identity] = path
    }
    for name in try ImageFiles.entries(of: folder) {
      let url = folder.appendingPathComponent(name)
      let own = path.isEmpty ? name : "\(path)/\(name)"
      switch try ImageFiles.kind(of: url).kind {
      case .folder: try add(url, below: own)
      // What is no regular file, or a link that leads nowhere, is an image that cannot be read.
      default: if ImageFiles.isImage(name) { images.append(own) } else { ignored.append(own) }
      }
    }
  }
}
