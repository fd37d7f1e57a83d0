import Datasets
import Formats
import Foundation
import Models
import Tensor

/// Files in memory → images (`decode`), or the tensors a CLIP reads (`full`), one image per thread; and the image tower
/// on tensors in memory (`tower-given`), or on JPEG files loaded in the background (`tower-jpeg`).
func preprocessingItems(_ folder: String?) -> [Item] {
  [("jpeg", "jpg"), ("png", "png")].flatMap { format, suffix in
    ["full", "decode"].map { what in
      Item("\(format)-\(what)") {
        let files = try files(suffix, folder).map { [UInt8](try Data(contentsOf: $0)) }
        return try work(format, files, isDecodeOnly: what == "decode")
      }
    }
  } + [
    Item("tower-given") { try towerWork(files("jpg", folder), isGiven: true) },
    Item("tower-jpeg") { try towerWork(files("jpg", folder), isGiven: false) },
  ]
}

/// The files of a folder with the given extension, each decoded once to verify it.
private func files(_ suffix: String, _ folder: String?) throws -> [URL] {
  guard let folder else { throw Request.Mistake(description: "preprocess: missing required flag --images") }
  let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".\(suffix)") }
  let files = names.sorted().map { URL(fileURLWithPath: "\(folder)/\($0)") }
  guard !files.isEmpty else {
    throw Request.Mistake(description: "--images: \(folder): expected .\(suffix) files, found none")
  }
  for file in files { _ = try Image(contentsOf: file) }
  return files
}

/// The tower of ViT-B/16 on four batches of eight files, or on the same tensors loaded before.
private func towerWork(_ files: [URL], isGiven: Bool) throws -> Work {
  let (batches, batch) = (4, 8)
  let model = RealSize.clip(textBlocks: 0)
  let loader = ImageLoader(preprocessing: try Preprocessing.clip())
  let wanted = (0..<batches * batch).map { (url: files[$0 % files.count], number: $0) }
  @Sendable func load(_ index: Int) throws -> Tensor {
    try loader.loadAll(Array(wanted[index * batch..<(index + 1) * batch]))
  }
  let given = try (0..<batches).map(load)
  let result = Buffer(given[0])
  return Work(shape: "\(batches) batches of \(batch)", amount: .images(batches * batch)) {
    let ahead = isGiven ? nil : Prefetcher(0..<batches, make: load)
    for index in 0..<batches {
      // All were decoded once when this was prepared.
      guard let images = ahead == nil ? given[index] : try? ahead?.next(index) else { return }
      result.tensor = model.vision(Variable(images), Pass()).value
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
