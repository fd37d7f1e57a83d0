/// Files of weights in formats that are not read.
enum ForeignWeights {
  /// The formats by the ending of a name.
  private static let formats: KeyValuePairs = [
    ".h5": "TensorFlow or Keras", ".keras": "Keras", ".msgpack": "Flax", ".onnx": "ONNX", ".gguf": "llama.cpp",
    ".ggml": "llama.cpp", ".tflite": "TensorFlow Lite", ".pb": "TensorFlow", ".mlmodel": "Core ML",
    ".mlpackage": "Core ML", ".ckpt.index": "TensorFlow", ".pdparams": "PaddlePaddle", ".engine": "TensorRT",
  ]

  /// What is expected instead.
  static let expected =
    "weights as safetensors, of PyTorch (.bin, .pt, .pth) or NumPy (.npz), which the library that wrote the others "
    + "can save"

  /// The first such file among names, with its format.
  static func description(of names: [String]) -> String? {
    for name in names.sorted() {
      if let format = formats.first(where: { name.lowercased().hasSuffix($0.key) }) {
        return "\(quoted(name)), a format of \(format.value), which is not read"
      }
    }
    return nil
  }
}
