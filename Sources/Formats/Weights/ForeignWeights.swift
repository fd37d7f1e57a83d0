/// Files that are found in the place of weights: in formats that are not read, or no weights at all.
enum ForeignWeights {
  /// The formats by the ending of a name.
  private static let formats: KeyValuePairs = [
    ".h5": "TensorFlow or Keras", ".keras": "Keras", ".msgpack": "Flax", ".onnx": "ONNX", ".gguf": "llama.cpp",
    ".ggml": "llama.cpp", ".tflite": "TensorFlow Lite", ".pb": "TensorFlow", ".mlmodel": "Core ML",
    ".mlpackage": "Core ML", ".ckpt.index": "TensorFlow", ".ckpt.meta": "TensorFlow", ".pdparams": "PaddlePaddle",
    ".engine": "TensorRT",
  ]

  /// What is expected instead.
  static let expected =
    "weights as safetensors, of PyTorch (.bin, .pt, .pth) or NumPy (.npz), which the library that wrote the others "
    + "can save"

  /// The first such file among names, with its format.
  static func description(of names: [String]) -> String? {
    for name in names.sorted() {
      let lower = name.lowercased()
      let format = formats.first { lower.hasSuffix($0.key) }?.value
      if let format = format ?? (lower.contains(".data-00000-of-") ? "TensorFlow" : nil) {
        return "\(quoted(name)), a format of \(format), which is not read"
      }
    }
    return nil
  }

  /// The number of first bytes that are looked at: a tar names its format after 257.
  private static let length = 512

  /// What begins with these bytes, given in Latin-1.
  private static let signatures: KeyValuePairs = [
    "\u{1F}\u{8B}": "a gzip archive (gunzip, or tar -xzf, unpacks it)", "BZh": "a bzip2 archive",
    "\u{FD}7zXZ\0": "an xz archive", "(\u{B5}/\u{FD}": "a Zstandard archive",
    "7z\u{BC}\u{AF}\u{27}\u{1C}": "a 7z archive",
    "Rar!\u{1A}": "a RAR archive", "\u{89}HDF\r\n\u{1A}\n": "an HDF5 file, as TensorFlow and Keras save weights",
    "GGUF": "a GGUF file of llama.cpp", "\u{89}PNG": "a PNG image", "\u{FF}\u{D8}\u{FF}": "a JPEG image",
    "%PDF": "a PDF",
  ]

  /// What the contents of a file are, if they are no weights that are read but something known.
  ///
  /// - bytes: of the whole file.
  static func description(ofContents bytes: some RandomAccessCollection<UInt8>) -> String? {
    let head = Array(bytes.prefix(length))
    // The length of a safetensors header may begin like anything.
    guard head.count > 8, head[4..<8].contains(where: { $0 != 0 }) || head[8] != UInt8(ascii: "{") else { return nil }
    func begins(_ text: String, at offset: Int = 0) -> Bool {
      head.dropFirst(offset).starts(with: text.unicodeScalars.map { UInt8($0.value) })
    }
    if let known = signatures.first(where: { begins($0.key) }) { return known.value }
    if begins("ustar", at: 257) { return "a tar archive (tar -xf unpacks it)" }
    if begins("TFL3", at: 4) { return "a TensorFlow Lite model" }
    // The footer of a table.
    if bytes.suffix(8).elementsEqual([0x57, 0xFB, 0x80, 0x8B, 0x24, 0x75, 0x47, 0xDB]) {
      return "a TensorFlow checkpoint"
    }
    if isMessagePack(head) { return "a MessagePack file, as Flax saves weights" }
    if isONNX(head) { return "an ONNX model" }
    return text(head)
  }

  /// Returns whether a file begins like a dictionary of MessagePack whose first key is a name.
  private static func isMessagePack(_ head: [UInt8]) -> Bool {
    let key: Int
    switch head[0] {
    case 0x81...0x8F: key = 1
    case 0xDE: key = 3
    case 0xDF: key = 5
    default: return false
    }
    let (name, length): (Int, Int)
    switch head[key] {
    case 0xA1...0xBF: (name, length) = (key + 1, Int(head[key] & 31))
    case 0xD9: (name, length) = (key + 2, Int(head[key + 1]))
    default: return false
    }
    let text = head.dropFirst(name).prefix(length)
    return !text.isEmpty && text.allSatisfy { (0x20..<0x7F).contains($0) }
  }

  /// Returns whether a file begins like ONNX's protocol buffer: a version, then the name of what wrote it.
  private static func isONNX(_ head: [UInt8]) -> Bool {
    guard head[0] == 0x08, (1...32).contains(head[1]), head[2] == 0x12, (1...64).contains(head[3]) else { return false }
    let name = head.dropFirst(4).prefix(Int(head[3]))
    return name.count == Int(head[3]) && name.allSatisfy { (0x20..<0x7F).contains($0) }
  }

  /// JSON, or other text.
  private static func text(_ head: [UInt8]) -> String? {
    let isText = head.allSatisfy { $0 >= 0x20 && $0 != 0x7F || [0x09, 0x0A, 0x0D].contains($0) }
    // A character may be cut.
    guard isText, (0...3).contains(where: { String(validating: head.dropLast($0), as: UTF8.self) != nil }) else {
      return nil
    }
    guard let first = head.first(where: { $0 > 0x20 }) else { return "spaces" }
    let shown = String(decoding: head.prefix(40), as: UTF8.self).split(whereSeparator: \.isNewline).first ?? ""
    let kind = [UInt8(ascii: "{"), UInt8(ascii: "[")].contains(first) ? "JSON" : "text"
    return "\(kind) (\(quoted(String(shown))))"
  }
}

extension MappedFile {
  /// What the file is, if no weights that are read.
  var foreign: String? { withBytes { ForeignWeights.description(ofContents: $0) } }
}
