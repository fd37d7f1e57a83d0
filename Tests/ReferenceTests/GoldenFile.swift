import Foundation
import Reference
import Testing

/// A folder of golden sets: the small one that every clone carries, or the large one, which is looked for in the folder
/// that FRUGAL_FIXTURES names, ../shared/fixtures by default.
struct GoldenFolder: Sendable, CustomTestStringConvertible {
  let testDescription: String
  private let url: URL

  private static let small = GoldenFolder(
    testDescription: "small", url: package.appending(path: "Tests/Fixtures/golden"))
  private static let package = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")
    .standardized

  /// Those there are; a large one that was named must be there.
  static let all: [GoldenFolder] = {
    let named = ProcessInfo.processInfo.environment["FRUGAL_FIXTURES"].map { URL(filePath: $0) }
    let url = named ?? package.appending(path: "../shared/fixtures").standardized
    let isExpected = named != nil || FileManager.default.fileExists(atPath: url.path)
    return [small] + (isExpected ? [GoldenFolder(testDescription: "large", url: url)] : [])
  }()

  /// Those of some recorded runs that a folder holds; the small one lacks most.
  static func runs(_ names: String..., of set: String) -> [GoldenRun] {
    all.flatMap { folder in
      let found = names.filter { !folder.isSmall || folder.holds("\(set)/\($0).safetensors") }
      return found.map { GoldenRun(folder: folder, set: set, name: $0) }
    }
  }

  var isSmall: Bool { testDescription == Self.small.testDescription }

  func holds(_ path: String) -> Bool { FileManager.default.fileExists(atPath: url.appending(path: path).path) }

  func file(_ path: String) throws -> GoldenFile { try GoldenFile(contentsOf: url.appending(path: path)) }

  /// A JSON file.
  func json(_ path: String) throws -> [String: Any] {
    let object = try JSONSerialization.jsonObject(with: Data(contentsOf: url.appending(path: path)))
    return try #require(object as? [String: Any])
  }

  /// What the index of a set says of a case.
  func arguments(of name: String, in set: String) throws -> [String: Any] {
    let cases = try #require(json("\(set)/index.json")["cases"] as? [[String: Any]])
    return try #require(cases.first { $0["name"] as? String == name }?["args"] as? [String: Any])
  }
}

/// One recorded run.
struct GoldenRun: Sendable, CustomTestStringConvertible {
  let folder: GoldenFolder
  let set: String
  let name: String
  var testDescription: String { "\(name) (\(folder.testDescription))" }

  func file() throws -> GoldenFile { try folder.file("\(set)/\(name).safetensors") }
  func arguments() throws -> [String: Any] { try folder.arguments(of: name, in: set) }
}

/// A safetensors file of numbers that PyTorch and the authors' code computed, read without the library's own readers.
///
/// The files are in a `GoldenFolder`.
struct GoldenFile {
  private let header: [String: Any]
  private let bytes: Data

  fileprivate init(contentsOf url: URL) throws {
    let data = try Data(contentsOf: url)
    let length = data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    header = try #require(JSONSerialization.jsonObject(with: data.dropFirst(8).prefix(length)) as? [String: Any])
    bytes = data.dropFirst(8 + length)
  }

  /// The names of all tensors.
  var names: [String] { header.keys.filter { $0 != "__metadata__" } }

  /// The numbers of a tensor: its last dimension in columns, all others in rows; a scalar and a vector in one row.
  func matrix(_ name: String) throws -> Matrix {
    let entry = try #require(header[name] as? [String: Any], "no tensor \(name)")
    let shape = try #require(entry["shape"] as? [Int])
    let offsets = try #require(entry["data_offsets"] as? [Int])
    try #require(offsets.count == 2 && 0 <= offsets[0] && offsets[0] <= offsets[1], "\(name): \(offsets)")
    let part = Data(bytes.dropFirst(offsets[0]).prefix(offsets[1] - offsets[0]))
    let isFloat = entry["dtype"] as? String == "F32"
    let size = isFloat ? 4 : 8
    try #require(part.count == size * shape.reduce(1, *), "\(name): expected \(shape), found \(part.count) bytes")
    // Little-endian, as is every machine that runs this.
    let values = part.withUnsafeBytes { bytes in
      stride(from: 0, to: part.count, by: size).map { start in
        isFloat
          ? Double(bytes.loadUnaligned(fromByteOffset: start, as: Float.self))
          : Double(bytes.loadUnaligned(fromByteOffset: start, as: Int64.self))
      }
    }
    return Matrix(shape.dropLast().reduce(1, *), shape.last ?? 1, values)
  }

  func values(_ name: String) throws -> [Double] { try matrix(name).values }

  func integers(_ name: String) throws -> [Int] { try values(name).map { Int($0) } }

  /// Images [count, 3, size, size].
  func images(_ name: String) throws -> Images {
    let values = try matrix(name)
    let size = values.columns
    return Images(count: values.rows / (3 * size), channels: 3, height: size, width: size, values.values)
  }
}

/// Equal to what was recorded in single precision: |found − wanted| ≤ atol + rtol |wanted|.
func expectClose(_ found: [Double], _ wanted: [Double], rtol: Double, atol: Double, _ comment: String) {
  #expect(found.count == wanted.count, "\(comment): count")
  for (k, pair) in zip(found, wanted).enumerated() where !(abs(pair.0 - pair.1) <= atol + rtol * abs(pair.1)) {
    Issue.record("\(comment): element \(k) of \(wanted.count): \(pair.0), not \(pair.1)")
    return
  }
}

/// The tensors of a checkpoint under the names of our sites, from those of OpenAI, timm and Hugging Face.
enum GoldenNames {
  /// What is replaced, in this order.
  private static let replacements = [
    ("text_model.encoder.layers.", "text.blocks."), ("vision_model.encoder.layers.", "vision.blocks."),
    ("text_model.", "text."), ("vision_model.", "vision."), ("visual.", "vision."),
    ("transformer.resblocks.", "vision.blocks."), ("vision.vision.", "vision."),
    ("embeddings.token_embedding.weight", "tokens"), ("embeddings.position_embedding.weight", "positions"),
    ("embeddings.class_embedding", "classToken"), ("embeddings.patch_embedding", "patchEmbedding"),
    ("text_projection", "text.projection"), ("visual_projection", "vision.projection"),
    ("pre_layrnorm", "preNorm"), ("ln_pre", "preNorm"), ("post_layernorm", "postNorm"), ("ln_post", "postNorm"),
    ("final_layer_norm", "finalNorm"), ("layer_norm1", "attentionNorm"), ("layer_norm2", "mlpNorm"),
    ("ln_1", "attentionNorm"), ("ln_2", "mlpNorm"), ("norm1", "attentionNorm"), ("norm2", "mlpNorm"),
    ("self_attn.", "attention."), ("attn.in_proj_", "attention.qkv."), ("attn.", "attention."),
    ("q_proj", "query"), ("k_proj", "key"), ("v_proj", "value"), ("out_proj", "output"),
    ("attention.q.", "attention.query."), ("attention.k.", "attention.key."), ("attention.v.", "attention.value."),
    ("attention.proj", "attention.output"), ("attention.mask_real", "attention.qkv"), (".mask_real", ""),
    ("c_fc", "up"), ("c_proj", "down"), ("fc1", "up"), ("fc2", "down"), ("class_embedding", "classToken"),
    ("positional_embedding", "positions"), ("patch_embed.proj", "patchEmbedding"), ("conv1", "patchEmbedding"),
    ("cls_token", "classToken"), ("pos_embed", "positions"),
  ]

  /// Our name; what the checkpoint keeps without the name of a tower is of the image tower.
  static func site(_ name: String) -> String {
    var site = replacements.reduce(name) { $0.replacingOccurrences(of: $1.0, with: $1.1) }
    if site.hasPrefix("norm.") { site = "vision.postNorm." + site.dropFirst(5) }
    if !["vision.", "text.", "head.", "logit_scale"].contains(where: { site.hasPrefix($0) }) {
      site = "vision." + site
    }
    if site.contains("Norm.") {
      return site.replacingOccurrences(of: ".weight", with: ".scale").replacingOccurrences(of: ".bias", with: ".shift")
    }
    return site.hasPrefix("head.") ? site : site.replacingOccurrences(of: ".weight", with: "")
  }

  /// The tensors whose names have a prefix: stacked ones cut up, kernels flattened, OpenAI's projection transposed.
  static func parameters(_ file: GoldenFile, prefix: String = "") throws -> Parameters {
    var result: Parameters = [:]
    for name in file.names where name.hasPrefix(prefix) && !name.contains("position_ids") {
      let (site, value) = (site(String(name.dropFirst(prefix.count))), try file.matrix(name))
      if site.contains(".qkv") {
        let third = value.count / 3
        for (k, map) in ["query", "key", "value"].enumerated() {
          let part = Array(value.values[k * third..<(k + 1) * third])
          let rows = value.rows == 1 ? 1 : value.rows / 3
          result[site.replacingOccurrences(of: "qkv", with: map)] = Matrix(rows, part.count / rows, part)
        }
      } else if site == "vision.patchEmbedding" {
        let columns = 3 * value.columns * value.columns
        result[site] = Matrix(value.count / columns, columns, value.values)
      } else if name.hasSuffix("visual.proj") {
        var turned = Matrix(value.columns, value.rows)
        for r in 0..<value.rows { for c in 0..<value.columns { turned[c, r] = value[r, c] } }
        result["vision.projection"] = turned
      } else {
        result[site] = value
      }
    }
    return result
  }
}
