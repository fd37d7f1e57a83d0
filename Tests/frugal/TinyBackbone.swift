import Checks
import Formats
import Foundation
import FrugalTestSupport
import Tensor

/// A vision transformer of two blocks in timm's names, 16 × 16 pixels, one head of 64 numbers; its head knows nine
/// classes.
enum TinyBackbone {
  /// The weights, written into a folder as `vit.safetensors`.
  @discardableResult
  static func write(to folder: TemporaryFolder, seed: UInt64 = 1) throws -> String {
    var numbers = CheckNumbers(seed: seed)
    var writer = SafeTensorsWriter()
    func matrix(_ name: String, _ shape: Shape) {
      writer.add(name, numbers.next(shape, scale: (3 / Real(shape.count / shape[0])).squareRoot()))
    }
    func linear(_ name: String, _ width: Int, _ out: Int) {
      matrix("\(name).weight", [out, width])
      writer.add("\(name).bias", numbers.next([out], scale: 0.1))
    }
    func norm(_ name: String) {
      writer.add("\(name).weight", numbers.next([64], in: 0.8...1.2))
      writer.add("\(name).bias", numbers.next([64], scale: 0.1))
    }
    writer.add("cls_token", numbers.next([1, 1, 64], scale: 0.5))
    writer.add("pos_embed", numbers.next([1, 5, 64], scale: 0.5))
    matrix("patch_embed.proj.weight", [64, 3, 8, 8])
    writer.add("patch_embed.proj.bias", numbers.next([64], scale: 0.1))
    for block in 0..<2 {
      norm("blocks.\(block).norm1")
      linear("blocks.\(block).attn.qkv", 64, 192)
      linear("blocks.\(block).attn.proj", 64, 64)
      norm("blocks.\(block).norm2")
      linear("blocks.\(block).mlp.fc1", 64, 128)
      linear("blocks.\(block).mlp.fc2", 128, 64)
    }
    norm("norm")
    linear("head", 64, 9)
    let url = folder.url.appendingPathComponent("vit.safetensors")
    try writer.write(to: url)
    return url.path
  }

  /// Flags of a run of a few steps.
  static func run(
    _ method: String, model: String, out: URL, data: String = Workbench.pictures, _ more: String...
  ) -> [String] {
    [
      "tune", "--model", model, "--data", data, "--method", method, "--shots", "4", "--epochs", "2",
      "--batch", "6", "--lr", "0.002", "--warmup", "none", "--out", out.path,
    ] + more
  }
}
