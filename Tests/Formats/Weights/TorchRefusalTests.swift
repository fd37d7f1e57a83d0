import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

/// Pickles that are broken or hostile: each is refused, with its reason, and nothing is called.
@Suite struct TorchRefusalTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func open(_ pickle: PickleBuilder, _ storages: [String: [UInt8]] = [:]) throws -> TorchFile {
    try TorchFile(contentsOf: try folder.write(pickle.archive(storages).file, to: "weights.pt"))
  }

  private static func with(_ pickle: PickleBuilder, _ name: String) -> PickleBuilder {
    pickle.string(name).tensor("0", count: 12, size: [12], stride: [1])
  }

  struct Bad: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let pickle: PickleBuilder
    let message: String

    init(_ name: String, _ message: String, _ build: (PickleBuilder) -> PickleBuilder) {
      (testDescription, pickle, self.message) = (name, build(PickleBuilder()), message)
    }
  }

  private static func tensor(
    count: Int32 = 12, offset: Int32 = 0, _ size: [Int32], _ stride: [Int32]
  ) -> (PickleBuilder) -> PickleBuilder {
    { $0.op("}").string("a").tensor("0", count: count, offset: offset, size: size, stride: stride).op("s") }
  }

  static let bad: [Bad] = [
    Bad("a number", "expected a tensor, a dictionary or a module, found an integer") { $0.integer(1) },
    Bad("unknown opcode", "expected an opcode that tensors need, found opcode 255 at byte 2") { $0.raw([0xff]) },
    Bad("instance by name", "found opcode 105") { $0.op("ios\nsystem\n") },
    Bad("extension", "found opcode 130") { $0.raw([0x82, 1]) },
    Bad("empty stack", "expected a value on the stack, found none, at opcode pop") { $0.op("0") },
    Bad("value below a mark", "expected a value on the stack, found none, at opcode append") { $0.op("](a") },
    Bad("no mark", "expected a mark on the stack") { $0.op("NNt") },
    Bad("too few for a tuple", "expected 2 values on the stack, found 1") { $0.op("N").raw([0x86]) },
    Bad("memo", "expected entry 7 of the memo, found none") { $0.op("h").raw([7]) },
    Bad("nothing to append to", "expected a list or a set to append to, found None") { $0.op("NNa") },
    Bad("nothing to set", "expected a dictionary to set items of, found a list") { $0.op("]NNs") },
    Bad("key without value", "expected keys with values") { $0.op("}(Nu") },
    Bad("call of a value", "expected a global to call, found another value") { $0.op("N)R") },
    Bad("call of a type", "expected a global that may be called, found torch.bfloat16") {
      $0.global("torch", "bfloat16").op(")R")
    },
    Bad("arguments that are no tuple", "expected the arguments of a call in a tuple, found None") {
      $0.global("collections", "OrderedDict").op("NR")
    },
    Bad("dictionary of numbers", "expected collections.OrderedDict of a list of pairs, found an integer") {
      $0.global("collections", "OrderedDict").integer(1).raw([0x85]).op("R")
    },
    Bad("other text encoding", "expected _codecs.encode of a string in latin1, found a string, a string") {
      $0.global("_codecs", "encode").string("a").string("rot13").raw([0x86]).op("R")
    },
    Bad("text that is not latin1", "expected _codecs.encode of characters below U+0100") {
      $0.global("_codecs", "encode").string("名").string("latin1").raw([0x86]).op("R")
    },
    Bad("attributes of a number", "expected an object to give attributes, found an integer") { $0.integer(1).op("Nb") },
    Bad("instance of a function", "expected a class of attributes, without arguments, found _codecs.encode") {
      $0.global("_codecs", "encode").op(")").raw([0x81])
    },
    Bad("persistent id", "expected a storage's type, key, location and count as a persistent id") {
      $0.op("(").string("module").op("tQ")
    },
    Bad("negative count", "expected a storage's type, key, location and count") { $0.storage("0", count: -1) },
    Bad("storage of what", "expected the type of a storage, found torch.Size") { $0.storage("0", "Size", count: 1) },
    Bad("tensor of what", "expected a tensor of storage, offset, size and stride, found None") {
      $0.global("torch._utils", "_rebuild_tensor_v2").op("N").raw([0x85]).op("R")
    },
    Bad("a long integer", "expected an integer of at most 256 bytes, found 300") {
      $0.raw([0x8b, 44, 1, 0, 0] + [UInt8](repeating: 1, count: 300))
    },
    Bad(
      "outside", "tensor \"a\": expected shape [3, 5] with strides [5, 1] and offset 0 within 12 elements",
      tensor([3, 5], [5, 1])),
    Bad(
      "offset outside", "tensor \"a\": expected shape [12] with strides [1] and offset 1",
      tensor(offset: 1, [12], [1])),
    Bad("negative offset", "tensor \"a\": expected 1 strides and an offset of 0 or more", tensor(offset: -1, [1], [1])),
    Bad("negative stride", "tensor \"a\": expected 1 strides and an offset of 0 or more", tensor([2], [-1])),
    Bad("negative extent", "tensor \"a\": expected extents of 0 or more, found -2", tensor([-2], [1])),
    Bad("too few strides", "tensor \"a\": expected 2 strides and", tensor([2, 2], [1])),
    Bad("overflow", "tensor \"a\": expected a shape of fewer than 2^63 bytes", tensor([.max, .max, 2], [0, 0, 0])),
    Bad(
      "repetition", "tensor \"a\": expected at most 16777216 repeated elements, found 2147483647", tensor([.max], [0])),
    Bad(
      "storage too short", "tensor \"a\": expected storage \"0\" of 13 × 4 bytes, found 48 bytes",
      tensor(count: 13, [1], [1])),
    Bad("storage missing", "tensor \"a\": expected its data as entry \"archive/data/x\", found none") {
      $0.op("}").string("a").tensor("x", count: 1, size: [1], stride: [1]).op("s")
    },
    // What Python tells apart, and a name does not: none may replace the other without a word.
    Bad("composed and decomposed", "expected each name once, found \"e\u{301}\" twice") {
      with(with($0.op("}("), "\u{e9}"), "e\u{301}").op("u")
    },
    Bad("number and text", "expected each name once, found \"0\" twice") {
      with($0.op("}(").integer(0).integer(1), "0").op("u")
    },
    Bad("name twice", "expected each name once, found \"a.b\" twice") {
      with(with($0.op("}("), "a.b").string("a").op("}("), "b").op("uu")
    },
    Bad("circle", "expected at most") { $0.op("}q").raw([0]).string("a").op("h").raw([0]).op("s") },
  ]

  @Test(arguments: bad) func aBrokenPickleIsRefusedWithItsReason(_ bad: Bad) throws {
    let error = try #require(throws: WeightFileError.self) { try open(bad.pickle, ["0": TorchFileTests.numbers]) }
    #expect(error.description.contains("weights.pt: "))
    #expect(error.description.contains(bad.message), "\(error)")
  }

  @Test(arguments: [
    ("os", "system"), ("builtins", "eval"), ("__builtin__", "getattr"), ("torch", "load"), ("torch.jit", "load"),
    ("torch", "ComplexFloatStorage"), ("__torch", "x"), ("torch._utils", "_rebuild_tensor_v4"), ("", ""),
    ("numpy.core.multiarray", "_reconstruct"), ("collections", "OrderedDict\u{0}"), ("functools", "partial"),
  ]) func everyOtherGlobalIsRefusedByName(module: String, name: String) throws {
    let pickle = PickleBuilder().op("}").string("a").global(module, name).string("x").raw([0x85]).op("Rs")
    let error = try #require(throws: WeightFileError.self) { try open(pickle) }
    guard case .refused(let file, let global) = error else {
      Issue.record("expected a refusal, found \(error)")
      return
    }
    #expect(global == "\(module).\(name)" && file.hasSuffix("weights.pt"))
    #expect(error.description.contains("nothing was called"))
  }

  /// Small pickles that would take time or memory without end: each is refused before it does.
  @Test func pickleBombsAreRefused() throws {
    // Every list holds the one before it twice.
    let doubled = (0..<60).reduce(PickleBuilder().op("]q").raw([0])) { pickle, _ in
      pickle.op("0]h").raw([0]).op("ah").raw([0]).op("aq").raw([0])
    }
    #expect(throws: WeightFileError.self) { try open(doubled) }
    #expect(
      try open(PickleBuilder().op("}").string("a").raw(Array(doubled.bytes.dropFirst(2))).op("s")).values["a"] != nil)
    // The same of dictionaries, which become names.
    let tree = (0..<60).reduce(PickleBuilder().op("}q").raw([0])) { pickle, _ in
      pickle.op("0}").string("a").op("h").raw([0]).op("s").string("b").op("h").raw([0]).op("sq").raw([0])
    }
    let error = try #require(throws: WeightFileError.self) { try open(tree) }
    #expect(error.description.contains("expected objects of at most"))
    // A long name in front of many.
    var names = PickleBuilder().op("}").string(String(repeating: "n", count: 1 << 20)).op("}(")
    for index in 0..<100 { names = names.integer(Int32(index)).op("N") }
    #expect(throws: WeightFileError.self) { try open(names.op("us")) }
    // One text, encoded again and again.
    var copies = PickleBuilder().global("_codecs", "encode").op("q").raw([0]).string(
      String(repeating: "x", count: 1 << 20)
    )
    .string("latin1").raw([0x86]).op("q").raw([1]).op("0]")
    for _ in 0..<300 { copies = copies.op("h").raw([0]).op("h").raw([1]).op("Ra") }
    let other = try #require(throws: WeightFileError.self) { try open(copies) }
    #expect(other.description.contains("expected objects of at most"))
  }

  @Test func nestingOfAnyDepthIsHandled() throws {
    let deep = [UInt8](repeating: 0x85, count: 200_000)
    let tuples = PickleBuilder().op("}").string("a").op("N").raw(deep).op("s")
    #expect(try open(tuples).values["a"]?.description.hasPrefix("(((((") == true)
    #expect(throws: WeightFileError.self) { try open(PickleBuilder().raw([UInt8](repeating: 0x28, count: 1_000_000))) }
  }
}
