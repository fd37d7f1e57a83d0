import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

/// Files that PyTorch wrote, and broken and hostile ones.
@Suite(.enabled(if: Fixtures.has("weights-io"), "golden files of weights-io are absent: set FRUGAL_FIXTURES"))
struct TorchGoldenTests {
  static let types: [String: ElementType] = [
    "float64": .f64, "float32": .f32, "float16": .f16, "bfloat16": .bf16, "int64": .i64, "int32": .i32, "int16": .i16,
    "int8": .i8, "uint8": .u8, "bool": .bool,
  ]

  @Test(arguments: Fixtures.cases("weights-io", op: "read_torch")) func fileReadsAsTheSavedTensors(
    _ golden: GoldenCase
  ) throws {
    let file = try TorchFile(contentsOf: golden.url)
    let isLegacy = golden.name.hasPrefix("legacy")
    #expect(file.format == (isLegacy ? "PyTorch file from before version 1.6" : "PyTorch archive"))
    guard let name = golden.args["expected"].string else {
      #expect(file.names == ["bare-tensor"])
      #expect(try file.tensor("bare-tensor") == Tensor([2, 3], [0, 1, 2, 3, 4, 5]))
      return
    }
    let expected = try #require(Fixtures.json("weights-io/\(name)").object)
    let names = golden.name == "ddp-prefix.pt" ? ["column", "plain", "transposed"] : expected.keys.sorted()
    #expect(file.names == names)
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
    #expect(file.values["big"] == .largeInteger("1180591620717411303424"))
    #expect(file.values["bytes"] == .bytes([0, 0xff] + Array("abc".utf8)))
    #expect(file.values["tuple"] == .other("(1, (2, 3))"))
    #expect(file.values["int key"] == nil && file.values["5"] == .string("int key"))
  }

  /// What each hostile file calls.
  static let evil = [
    "evil-os-system.pt": "posix.system", "evil-nested.pt": "posix.system", "evil-eval.pt": "__builtin__.eval",
    "evil-subprocess.pt": "commands.Popen", "evil-getattr.pt": "__builtin__.getattr", "evil-legacy.pt": "posix.system",
    "evil-stackglobal.pt": "posix.system", "evil-unknown-class.pt": "my.module.Thing",
  ]

  static let badFiles: [String] =
    Fixtures.has("weights-io/bad.json")
    ? (Fixtures.json("weights-io/bad.json").array ?? []).compactMap(\.["file"].string).filter { $0.hasSuffix(".pt") }
    : []

  @Test(arguments: badFiles) func brokenFileIsRefusedByName(_ path: String) throws {
    let error = try #require(throws: WeightFileError.self) {
      let file = try TorchFile(contentsOf: Fixtures.url("weights-io/\(path)"))
      for name in file.names { _ = try file.tensor(name) }
    }
    #expect(error.description.contains("\(path): "))
    #expect(error.description.contains("expected ") && error.description.contains(", found "))
    guard let global = Self.evil[URL(fileURLWithPath: path).lastPathComponent] else { return }
    #expect(error == .refused(file: Fixtures.url("weights-io/\(path)").shown, global: global))
    #expect(error.description.contains("\"\(global)\""))
  }

  @Test func thereAreBrokenFiles() { #expect(Self.badFiles.count == 23) }

  @Test(.enabled(if: Fixtures.has("clip"), "golden files of clip are absent: set FRUGAL_FIXTURES"))
  func aTorchScriptArchiveHoldsTheModel() throws {
    let file = try TorchFile(contentsOf: Fixtures.url("clip/openai-vit64-jit.pt"))
    let same = try SafeTensorsFile(contentsOf: Fixtures.url("clip/openai-vit64.safetensors"))
    #expect(file.format == "TorchScript archive")
    #expect(Set(same.names).isSubset(of: file.names))
    let sizes = Set(file.names).subtracting(same.names)
    #expect(sizes.isSubset(of: ["input_resolution", "context_length", "vocab_size"]))
    #expect(try file.integers("input_resolution") == [32])
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

  @Test(
    .enabled(if: Fixtures.has("ramt"), "golden files of ramt are absent: set FRUGAL_FIXTURES"),
    arguments: ["ramt/saved-mask.pth.tar"])
  func thePublishedFormOfMasksIsRead(_ path: String) throws {
    let file = try TorchFile(contentsOf: Fixtures.url(path))
    let want = try SafeTensorsFile(contentsOf: Fixtures.url("ramt/saved-mask.safetensors"))
    let masks = file.values.filter { $0.key.hasSuffix(".mask_real") }
    #expect(masks.count == 5)
    for (name, value) in masks { #expect(value == .bytes(try want.bytes("bits_big.\(name)")), "\(name)") }
  }
}
