/// A kind of file that the project reads, or a part that several kinds share.
enum Kind: String, CaseIterable {
  case safetensors, numpy, npz, torch
  case legacyTorch = "torch-legacy"
  case inflate, shards, tokenizer, configuration, adapter, jpeg, png, gif, bmp, webp, delta, run, checkpoint
  case pretraining, list, captions
  /// No reader: it fails on purpose, so that tests see failures found.
  case planted

  /// The kinds of files.
  static var all: [Kind] { allCases.filter { $0 != .planted } }

  /// Words of the errors of the first check of a reader, that of signature, length, checksum or syntax: an input whose
  /// refusal has none of them came further.
  var firstCheck: [String] {
    switch self {
    case .safetensors, .shards: ["header length", "of the JSON text", "expected a header", "UTF-8"]
    case .numpy: ["magic", "header of", "a NumPy file", "version"]
    case .npz, .torch: ["end record", "CRC-32", "central directory", "local header", "a ZIP archive"]
    case .legacyTorch: ["magic number", "protocol"]
    case .inflate: ["zlib", "gzip", "checksum"]
    case .tokenizer, .configuration, .adapter, .run, .pretraining: ["JSON"]
    case .jpeg: ["the headers", "a frame header", "JPEG, PNG, GIF, BMP or WebP"]
    case .png: ["the header", "four letters", "checksum", "JPEG, PNG, GIF, BMP or WebP", "chunk IHDR"]
    case .gif, .bmp: ["JPEG, PNG, GIF, BMP or WebP", "header"]
    case .webp: ["JPEG, PNG, GIF, BMP or WebP", "RIFF", "a chunk"]
    case .delta, .checkpoint: ["header length", "of the JSON text", "expected a header", "UTF-8", "other JSON"]
    case .list, .captions: ["UTF-8", "header", "JSON"]
    case .planted: []
    }
  }
}
