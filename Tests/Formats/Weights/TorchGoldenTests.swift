import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

/// Files that PyTorch wrote, and broken and hostile ones.
@Suite(.goldenCases(.weightsIO)) struct TorchGoldenTests {
  static let types: [String: ElementType] = [
    "float64": .f64, "float32": .f32, "float16": .f16, "bfloat16": .bf16, "int64": .i64, "int32": .i32, "int16": .i16,
    "int8": .i8, "uint8": .u8, "bool": .bool,
  ]

  @Test(arguments: GoldenSet.weightsIO.foundCases(op: "read_torch")) func fileReadsAsTheSavedTensors(
    _ golden: GoldenCase
  ) throws {
    let file = try TorchFile(contentsOf: golden.url)
    let isLegacy = golden.name.hasPrefix("legacy")
    #expect(file.format == (isLegacy ? "PyTorch file from before version 1.6" : "PyTorch archive"))
    guard let name = golden.args["expected"].string else {
      // "a lone tensor: 0..5 in shape 2x3"
      let note = try #require(golden.args["note"].string?.firstMatch(of: /0\.\.(\d+) in shape (\d+)x(\d+)/))
      let (last, rows, columns) = try #require((Int(note.1), Int(note.2), Int(note.3)) as? (Int, Int, Int))
      #expect(file.names == ["bare-tensor"])
      let tensor = try file.tensor("bare-tensor")
      #expect(tensor.shape == [rows, columns] && tensor.values == (0...last).map { Real($0) })
      return
    }
    let expected = try #require(GoldenSet.weightsIO.json(name, in: golden.root).object)
    // The wrapped model is stored with some of its tensors.
    let names = golden.name == "ddp-prefix.pt" ? file.names : expected.keys.sorted()
    #expect(file.names == names && !names.isEmpty)
    for name in names {
      let want = try #require(expected[name])
      let values = try #require(want["values_row_major"].doubles)
      let type = try #require(file.type(of: name))
      #expect(type == Self.types[want["dtype"].string ?? ""] && file.shape(of: name)?.extents == want["shape"].ints)
      if !type.isFloatingPoint { #expect(try file.integers(name).map(Double.init) == values, "\(name)") }
      if type == .i64 { continue }
      let found = try file.tensor(name)
      #expect(found.shape.extents == want["shape"].ints)
      expectClose(found.values.map { Double($0) }, values.map { Double(Real($0)) }, rtol: 0, atol: 0, name)
    }
    guard let values = golden.args["python_values"].object else { return }
    for (name, want) in values {
      let found = try #require(file.values[name], "\(name)")
      switch want {
      case .null: #expect(found == .none)
      case .bool(let value): #expect(found == .bool(value))
      case .string(let text): #expect(found == .string(text) || found.description == text, "\(name): \(found)")
      case .number(let value): #expect(Double(found.description) == value, "\(name): \(found)")
      default: Issue.record("\(name): expected a plain value, found \(want)")
      }
    }
  }

  /// What each hostile file calls.
  static let evil = [
    "evil-os-system.pt": "posix.system", "evil-nested.pt": "posix.system", "evil-eval.pt": "__builtin__.eval",
    "evil-subprocess.pt": "commands.Popen", "evil-getattr.pt": "__builtin__.getattr", "evil-legacy.pt": "posix.system",
    "evil-stackglobal.pt": "posix.system", "evil-unknown-class.pt": "my.module.Thing",
  ]

  @Test(arguments: BrokenWeightFile.torch) func brokenFileIsRefusedByName(_ bad: BrokenWeightFile) throws {
    let path = bad.path
    let error = try #require(throws: WeightFileError.self) {
      let file = try TorchFile(contentsOf: bad.url)
      for name in file.names { _ = try file.tensor(name) }
    }
    #expect(error.description.contains("\(path): "))
    #expect(error.description.contains("expected ") && error.description.contains(", found "))
    guard let global = Self.evil[URL(fileURLWithPath: path).lastPathComponent] else { return }
    #expect(error == .refused(file: bad.url.shown, global: global))
    #expect(error.description.contains("\"\(global)\""))
  }

  @Test(.golden(.clip, having: "openai-vit64-jit.pt")) func aTorchScriptArchiveHoldsTheModel() throws {
    let file = try TorchFile(contentsOf: GoldenSet.clip.url("openai-vit64-jit.pt"))
    let same = try SafeTensorsFile(contentsOf: GoldenSet.clip.url("openai-vit64.safetensors"))
    #expect(file.format == "TorchScript archive")
    #expect(Set(same.names).isSubset(of: file.names))
    let sizes = Set(file.names).subtracting(same.names)
    #expect(sizes.isSubset(of: ["input_resolution", "context_length", "vocab_size"]))
    let size = try #require(GoldenSet.clip.golden("openai-vit64-forward").args["vision"]["image_size"].int)
    #expect(try file.integers("input_resolution") == [Int64(size)])
    for name in same.names {
      let (found, want) = (try file.tensor(name), try same.tensor(name))
      guard file.type(of: name) == .f16 else {
        #expect(found == want, "\(name)")
        continue
      }
      #expect(found.shape == want.shape)
      #expect(
        found.values == want.values.map { Real(HalfPrecision.float(binary16: HalfPrecision.binary16(Float($0)))) })
    }
  }

  @Test(.golden(.ramt)) func thePublishedFormOfMasksIsRead() throws {
    let golden = try GoldenSet.ramt.golden("saved-mask")
    let file = try TorchFile(contentsOf: GoldenSet.ramt.url(#require(golden.args["file"].string)))
    let want = try golden.file()
    let masks = file.values.filter { $0.key.hasSuffix(".mask_real") }
    #expect(masks.count == want.names.count { $0.hasPrefix("bits_big.") } && !masks.isEmpty)
    for (name, value) in masks { #expect(value == .bytes(try want.bytes("bits_big.\(name)")), "\(name)") }
  }
}
