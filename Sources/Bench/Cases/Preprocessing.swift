import Datasets
import Foundation
import Tensor

/// Files in memory → pictures (`decode`), or the numbers a CLIP reads (`full`), a picture a thread.
func preprocessingItems(_ folder: String?) -> [Item] {
  [("jpeg", "jpg"), ("png", "png")].flatMap { format, suffix in
    ["full", "decode"].map { what in
      Item("\(format)-\(what)") {
        guard let folder else { throw Request.Mistake(description: "preprocess: expected --images DIR, found none") }
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".\(suffix)") }
        let files = try names.sorted().map { [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\($0)"))) }
        guard !files.isEmpty else {
          throw Request.Mistake(description: "--images: \(folder): expected .\(suffix) files, found none")
        }
        for (name, file) in zip(names.sorted(), files) { _ = try Image.decode(file, name: name) }
        return try work(format, files, isDecodeOnly: what == "decode")
      }
    }
  }
}

private func work(_ format: String, _ files: [[UInt8]], isDecodeOnly: Bool) throws -> Work {
  let preprocessing = try Preprocessing.clip()
  let size = 3 * 224 * 224
  let output = Buffer(Tensor.zeros([files.count, size]))
  let first = try Image.decode(files[0], name: format)
  let bytes = files.reduce(0) { $0 + $1.count } / files.count
  return Work(
    shape: "\(first.width)x\(first.height) \(format), \(bytes / 1024) KiB mean", amount: .images(files.count)
  ) {
    output.tensor.write { into in
      Parallel.forEach(files.count) { index in
        // All were decoded once when this was prepared.
        guard let image = try? Image.decode(files[index], name: format) else { return }
        if !isDecodeOnly { preprocessing.apply(to: image, into: into + index * size) }
      }
    }
  }
}
