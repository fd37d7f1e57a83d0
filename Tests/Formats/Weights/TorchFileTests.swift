import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

@Suite struct TorchFileTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func open(_ bytes: [UInt8], _ name: String = "weights.pt") throws -> TorchFile {
    try TorchFile(contentsOf: try folder.write(bytes, to: name))
  }

  private func open(_ pickle: PickleBuilder, _ storages: [String: [UInt8]] = [:]) throws -> TorchFile {
    try open(pickle.archive(storages).file)
  }

  static let numbers: [UInt8] = (0..<12).flatMap { bytes(Float($0).bitPattern) }

  /// A state dictionary of views of one storage of 12 numbers.
  static let views: PickleBuilder = [
    ("whole", 0, [12], [1]), ("matrix", 0, [3, 4], [4, 1]), ("transposed", 0, [4, 3], [1, 4]), ("column", 1, [3], [4]),
    ("corner", 5, [2, 2], [4, 1]), ("repeated", 7, [2, 3], [0, 0]), ("scalar", 11, [], []),
    ("empty", 99, [0, 4], [4, 1]),
    ("one", 3, [1, 1], [77, 99]),
  ].reduce(PickleBuilder().op("}(")) { pickle, view in
    pickle.string(view.0).tensor("0", count: 12, offset: view.1, size: view.2, stride: view.3)
  }.op("u")

  /// A moving average is preferred, as timm's `load_checkpoint` does, and that is said; an empty one is none.
  @Test func aMovingAverageIsPreferredAndSaidToBe() throws {
    let folder = Fixtures.embedded.appendingPathComponent("weights")
    let average = try TorchFile(contentsOf: folder.appendingPathComponent("average.pt"))
    #expect(try average.tensor("a").values == [3, 4] && average.names == ["a"])
    #expect(
      average.notes == [#""state_dict_ema": the moving average of the weights is read, not "state_dict""#])
    let empty = try TorchFile(contentsOf: folder.appendingPathComponent("empty-average.pt"))
    #expect(try empty.tensor("a").values == [1, 2] && empty.notes.isEmpty)
    // That of PyTorch's `AveragedModel`, with its prefix and its count of steps.
    let averaged = try TorchFile(contentsOf: folder.appendingPathComponent("averaged-model.pt"))
    #expect(try averaged.tensor("a").values == [3, 4] && averaged.names == ["a"] && averaged.notes.count == 1)
    let unread = try TorchFile(contentsOf: folder.appendingPathComponent("unread-average.pt"))
    #expect(try unread.tensor("a").values == [1, 2])
    #expect(unread.notes == [#""ema": not read, as "model" is; save it alone to read it"#])
  }

  @Test func tensorsAreViewsOfTheirStorage() throws {
    let file = try open(Self.views, ["0": Self.numbers])
    #expect(try file.tensor("whole").values == (0..<12).map { Real($0) })
    #expect(try file.tensor("matrix") == Tensor([3, 4], (0..<12).map { Real($0) }))
    #expect(try file.tensor("transposed") == file.tensor("matrix").transposed())
    #expect(try file.tensor("column").values == [1, 5, 9])
    #expect(try file.tensor("corner") == Tensor([2, 2], [5, 6, 9, 10]))
    #expect(try file.tensor("repeated") == Tensor([2, 3], repeating: 7))
    #expect(try file.tensor("scalar") == Tensor(11))
    #expect(try file.tensor("empty").shape == [0, 4])
    #expect(try file.tensor("one") == Tensor([1, 1], [3]))
  }

  @Test func theOrderOfBytesIsTheFiles() throws {
    var archive = PickleBuilder().op("}").string("a").tensor("0", "ShortStorage", count: 2, size: [2], stride: [1]).op(
      "s"
    )
    .archive(["0": [1, 2, 3, 4]])
    #expect(try open(archive.file).integers("a") == [0x201, 0x403])
    archive.entries[1] = .init("archive/byteorder", Array("big".utf8))
    #expect(try open(archive.file).integers("a") == [0x102, 0x304])
    archive.entries[1] = .init("archive/byteorder", Array("odd".utf8))
    #expect(throws: WeightFileError.self) { try open(archive.file) }
  }

  private func names(_ build: (PickleBuilder) -> PickleBuilder) throws -> TorchFile {
    try open(build(PickleBuilder()), ["0": Self.numbers])
  }

  private static func with(_ pickle: PickleBuilder, _ name: String) -> PickleBuilder {
    pickle.string(name).tensor("0", count: 12, size: [12], stride: [1])
  }

  @Test func namesComeFromNestedDictionaries() throws {
    let plain = try names { Self.with(Self.with($0.op("}("), "a").string("b").op("}("), "c").op("uu") }
    #expect(plain.names == ["a", "b.c"])
    for key in ["state_dict", "model_state_dict", "model"] {
      let nested = try names {
        Self.with($0.op("}(").string(key).op("}("), "a").op("u").string("epoch").integer(3).op("u")
      }
      #expect(nested.names == ["a"] && nested.values == ["epoch": .integer(3)])
    }
    let both = try names {
      Self.with(Self.with($0.op("}(").string("model").op("}("), "a").op("u").string("state_dict").op("}("), "b").op(
        "uu")
    }
    #expect(both.names == ["b"] && both.values == ["model": .other("dictionary of 1")])
    let deep = try names {
      Self.with($0.op("}(").string("state_dict").op("}(").string("model").op("}("), "a").op("uuu")
    }
    #expect(deep.names == ["a"])
    let parallel = try names {
      Self.with(Self.with($0.op("}("), "module.a"), "module.b").string("n").integer(1).op("u")
    }
    #expect(parallel.names == ["a", "b"] && parallel.values == ["n": .integer(1)])
    let mixed = try names { Self.with(Self.with($0.op("}("), "module.a"), "b").op("u") }
    #expect(mixed.names == ["b", "module.a"])
    // A tensor called "model" is a tensor.
    #expect(try names { Self.with($0.op("}("), "model").op("u") }.names == ["model"])
    // As in Python, what is set last counts.
    let twice = try names { Self.with($0.op("}(").string("a").integer(1), "a").op("u") }
    #expect(twice.names == ["a"] && twice.values.isEmpty)
  }

  @Test func modulesOfTorchScriptAreBagsOfAttributes() throws {
    let file = try names {
      Self.with(
        Self.with($0.global("__torch__", "Net").op(")").raw([0x81]).op("}("), "weight").string("block")
          .global("__torch__.parts", "Block").op(")").raw([0x81]).op("}("), "bias"
      ).string("training").raw([0x88]).op("ubub")
    }
    #expect(file.names == ["block.bias", "weight"])
    #expect(file.values == ["block.training": .bool(true)])
  }

  @Test func everyKindOfPlainValueIsRead() throws {
    let pickle = PickleBuilder(version: 5).raw([0x95, 1, 0, 0, 0, 0, 0, 0, 0]).op("}(")
      .string("none").op("N").string("true").raw([0x88]).string("false").raw([0x89]).string("byte").op("K").raw([200])
      .string("short").op("M").raw([1, 2]).string("int").integer(-5).string("long").raw([0x8a, 2, 0, 0x80])
      .string("zero").raw([0x8a, 0]).string("long4").raw([0x8b, 1, 0, 0, 0, 7]).string("large")
      .raw([0x8a, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0xff]).string("float").op("G").raw([0x3f, 0xf8, 0, 0, 0, 0, 0, 0])
      .string("bytes").op("C").raw([2, 0, 0xff]).string("bytes4").op("B").raw([1, 0, 0, 0, 9])
      .string("bytes8").raw([0x8e, 1, 0, 0, 0, 0, 0, 0, 0, 9]).string("array").raw([0x96, 1, 0, 0, 0, 0, 0, 0, 0, 9])
      .raw([0x8c, 5]).op("short").raw([0x8d, 1, 0, 0, 0, 0, 0, 0, 0]).op("x").string("old").op("U").raw([1]).op("y")
      .string("older").op("T").raw([1, 0, 0, 0]).op("z").string("list").op("(K").raw([1]).op("K").raw([2]).op("l")
      .string("appended").op("]").integer(1).op("a").string("tuples").op("K").raw([1, 0x85]).op("K").raw([2, 0x86])
      .string("set").raw([0x8f]).op("(K").raw([3, 0x90]).string("frozen").op("(").raw([0x91]).string("dict")
      .op("(K").raw([1]).op("Nd").string("size").global("torch", "Size").integer(2).integer(3).raw([0x86, 0x85]).op("R")
      .string("device").global("torch", "device").string("cuda").integer(1).raw([0x86]).op("R").string("type")
      .global("torch", "float16").string("popped").integer(1).op("0N").string("doubled").integer(1).op("20")
      .string("marked").op("(NN1N").op("u")
    let values = try open(pickle).values
    #expect(values["short"] == .string("x"))
    let want: [String: PythonValue] = [
      "none": .none, "true": .bool(true), "false": .bool(false), "byte": .integer(200), "int": .integer(-5),
      "long": .integer(-32768), "zero": .integer(0), "long4": .integer(7),
      "large": .largeInteger("-18446744073709551616"),
      "float": .number(1.5), "bytes": .bytes([0, 255]), "bytes4": .bytes([9]), "bytes8": .bytes([9]),
      "array": .bytes([9]),
      "old": .string("y"), "older": .string("z"), "list": .other("[1, 2]"), "appended": .other("[1]"),
      "set": .other("{3}"), "frozen": .other("set()"), "dict.1": .none, "size": .other("(2, 3)"),
      "device": .other("torch.device('cuda', 1)"), "type": .other("torch.float16"), "popped": .none,
      "doubled": .integer(1), "marked": .none,
    ]
    for (name, value) in want { #expect(values[name] == value, "\(name)") }
  }

  @Test func textIsShownAsPythonWould() {
    #expect(PythonValue.string("a'b\\\n\u{1}é").description == "\"a'b\\\\\\n\\x01é\"")
    #expect(PythonValue.string("'\"").description == "'\\'\"'")
    #expect(PythonValue.bytes([0x27, 0x80, 0x41]).description == "b'\\'\\x80A'")
    #expect(PythonValue.string(String(repeating: "x", count: 1000)).description.count == 203)
  }

  @Test func whatIsNotFromPyTorchIsRefused() throws {
    for (bytes, message) in [
      ([], "expected a pickle, found the end"),
      (Array("text".utf8), "expected a pickle of protocol 2 to 5, found other"),
      ([0x80, 9], "expected a pickle of protocol 2 to 5, found protocol 9"),
      (ZipBuilder([.init("a", [])]).file, "expected one entry NAME/data.pkl"),
      (ZipBuilder([.init("a/data.pkl", []), .init("b/data.pkl", [])]).file, "found none or several"),
      (PickleBuilder().integer(1).end, "expected PyTorch's magic number"),
    ] {
      let error = try #require(throws: WeightFileError.self) { try open(bytes) }
      #expect(error.description.contains(message), "\(error)")
    }
    var deflated = Self.views.archive(["0": Self.numbers])
    deflated.entries[2] = deflated.entries[2].deflated()
    let error = try #require(throws: WeightFileError.self) { try open(deflated.file) }
    #expect(error.description.contains("expected data stored without compression"))
  }

  private static func legacy(_ pickle: PickleBuilder, keys: [String], _ storages: [(Int64, [UInt8])]) -> [UInt8] {
    let magic = PickleBuilder().raw([0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19])
    let machine = PickleBuilder().op("}").string("little_endian").raw([0x88]).op("s")
    let list = keys.reduce(PickleBuilder().op("](")) { $0.string($1) }.op("e")
    return magic.end + PickleBuilder().integer(1001).end + machine.end + pickle.end + list.end
      + storages.flatMap { bytes($0.0) + $0.1 }
  }

  @Test func theOldFormatIsRead() throws {
    let pickle = PickleBuilder().op("}(").string("a").tensor("k", count: 12, offset: 2, size: [2, 2], stride: [1, 5])
      .string("b").tensor("l", "CharStorage", count: 1, size: [], stride: []).op("u")
    let file = try open(Self.legacy(pickle, keys: ["l", "k"], [(1, [0xff]), (12, Self.numbers)]))
    #expect(try file.tensor("a") == Tensor([2, 2], [2, 7, 3, 8]))
    #expect(try file.integers("b") == [-1])
    for (keys, storages, message) in [
      (["l"], [(1, [1])], "expected storage \"k\", found none"),
      (["l", "k"], [(1, [1]), (11, Self.numbers)], "expected 12 elements in storage \"k\", found 11"),
      (["l", "k"], [(1, [1]), (12, [1, 2, 3])], "expected storage \"k\" of 48 bytes"),
      (["l", "k"], [(1, [1])], "expected the count of storage \"k\""),
      (["l", "l"], [(1, [1]), (1, [1])], "expected the key of a storage that is used, once"),
      (["x"], [(1, [1])], "expected the key of a storage that is used, once"),
    ] as [([String], [(Int64, [UInt8])], String)] {
      let error = try #require(throws: WeightFileError.self) { try open(Self.legacy(pickle, keys: keys, storages)) }
      #expect(error.description.contains(message), "\(error)")
    }
  }

  @Test func viewsOfTheOldestFilesAreRead() throws {
    func pickle(_ start: Int32, _ count: Int32) -> PickleBuilder {
      PickleBuilder().op("}").string("a").global("torch._utils", "_rebuild_tensor").op("((").string("storage")
        .global("torch", "FloatStorage").string("k").string("cpu").integer(12).op("(").string("view").integer(start)
        .integer(count).op("ttQ").integer(1).tuple([2]).tuple([1]).op("tRs")
    }
    let file = try open(Self.legacy(pickle(4, 3), keys: ["k"], [(12, Self.numbers)]))
    #expect(try file.tensor("a").values == [5, 6])
    for (start, count) in [(4, 2), (11, 2), (-1, 4)] as [(Int32, Int32)] {
      #expect(throws: WeightFileError.self) {
        try open(Self.legacy(pickle(start, count), keys: ["k"], [(12, Self.numbers)]))
      }
    }
  }

  private static func carried(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: Fixtures.embedded.appendingPathComponent("weights/\(name)")))
  }

  @Test(arguments: ["state-dict.pt", "legacy.pt", "nested.pt"]) func theCarriedFilesRead(_ name: String) throws {
    let file = try open(try Self.carried(name), name)
    let whole = (0..<24).map { Real($0) }
    #expect(file.names.count == 20)
    #expect(try file.tensor("whole") == Tensor([4, 6], whole))
    #expect(try file.tensor("transposed") == Tensor([4, 6], whole).transposed())
    #expect(try file.tensor("channels_last") == Tensor([1, 2, 3, 4], whole))
    #expect(try file.tensor("slice_offset").values == [7, 8, 9, 10, 13, 14, 15, 16])
    #expect(try file.integers("long") == [1, -2, 1 << 40] && file.integers("bool") == [1, 0])
    #expect(try file.tensor("bf16").values == [0.37109375, 1.7265625, 0.408203125, 1.0546875, -0.23046875])
    #expect(try file.tensor("scalar") == Tensor(3.25))
    guard name == "nested.pt" else { return }
    #expect(file.values["epoch"] == .integer(3) && file.values["big"] == .largeInteger("1180591620717411303424"))
    #expect(file.values["bytes"] == .bytes([0, 0xff] + Array("abc".utf8)))
    #expect(file.values["tuple"] == .other("(1, (2, 3))"))
    #expect(file.values["int key"] == nil && file.values["5"] == .string("int key"))
  }

  @Test(arguments: ["evil-os-system.pt", "evil-legacy.pt"]) func theCarriedHostileFilesAreRefused(_ name: String) throws
  {
    let error = try #require(throws: WeightFileError.self) { try open(try Self.carried(name), name) }
    #expect(error == .refused(file: folder.url.appendingPathComponent(name).shown, global: "posix.system"))
  }

  @Test(arguments: ["bare-tensor.pt", "legacy.pt"]) func damageIsNoticedOrHarmless(_ name: String) throws {
    let good = try Self.carried(name)
    let isChecked = name != "legacy.pt"
    let intact = try open(good, name)
    let values = Dictionary(uniqueKeysWithValues: intact.names.map { ($0, try? intact.tensor($0)) })
    func check(_ damaged: [UInt8]) throws {
      do throws(WeightFileError) {
        let url: URL
        do { url = try folder.write(damaged, to: name) } catch { return }
        let file = try TorchFile(contentsOf: url)
        for tensor in file.names {
          do throws(WeightFileError) {
            let found = try file.tensor(tensor)
            // The old format has no checksums, so that nobody can notice another number.
            if isChecked, let want = values[tensor] { #expect(found == want) }
          } catch { #expect(error.description.contains("expected ")) }
        }
      } catch { #expect(error.description.contains(name)) }
    }
    try Damage.prefixes(of: good, check)
    try Damage.flips(of: good, values: isChecked ? 2 : 1, seed: 7, check)
    try Damage.changes(of: good, count: 300, seed: 8, check)
  }
}
