import Formats

/// Small files that describe large things: generators of PyTorch files, each by one kind of sharing or nesting.
package enum PickleBombs {
  /// Name and file of each, of a few hundred bytes to a few megabytes.
  package static let all: [(name: String, file: @Sendable () -> [UInt8])] = [
    ("dictionaries of a shared list of pairs", { call("collections", "OrderedDict", of: pairs) }),
    ("sets of a shared list", { call("builtins", "set", of: items, growing: true) }),
    ("frozen sets of a shared list", { call("builtins", "frozenset", of: items) }),
    ("sizes of a shared list", { call("torch", "Size", of: items) }),
    ("bytes of a shared text", { encodings }),
    ("scalars of shared bytes", { scalars }),
    ("lists within lists", { member(lists(depth: 6, width: 300)).archive().file }),
    ("tuples in dictionaries' keys", { keys(PickleBuilder().raw(tuples(depth: 4, width: 200))) }),
    ("long keys again and again", { keys(PickleBuilder().string(String(repeating: "k", count: 1 << 18))) }),
    ("long integers again and again", { integers }),
    ("one size of many dimensions", { sizes(rank: 100_000, count: 1300) }),
    ("one size of 64 dimensions", { sizes(rank: 64, count: 100_000) }),
    ("one storage of a long name", { storages }),
    ("dictionaries within dictionaries", { dictionaries }),
    ("a high stack", { PickleBuilder().raw(repeated([0x4e], 1 << 21)).archive().file }),
    ("many marks", { PickleBuilder().raw(repeated([0x28], 1 << 21)).archive().file }),
    ("many empty lists", { PickleBuilder().raw(repeated([0x5d, 0x30], 1 << 21)).archive().file }),
    ("many entries of the memo", { memo }),
    ("a deflated pickle", { deflated }),
    ("long names of globals", { globals }),
    ("devices", { call("torch", "device", of: PickleBuilder().string("cpu"), count: 1 << 20) }),
  ]

  private static func repeated(_ bytes: [UInt8], _ count: Int) -> [UInt8] {
    Array(repeatElement(bytes, count: count).joined())
  }

  /// A dictionary with one value.
  private static func member(_ value: PickleBuilder) -> PickleBuilder {
    PickleBuilder().op("}").string("a").raw(Array(value.bytes.dropFirst(2))).op("s")
  }

  /// A list of one shared pair.
  private static var pairs: PickleBuilder {
    PickleBuilder().op("NN").raw([0x86]).op("q").raw([2]).op("0](").raw(repeated([0x68, 2], 20_000)).op("e")
  }

  private static var items: PickleBuilder { PickleBuilder().op("](").raw(repeated([0x4e], 20_000)).op("e") }

  /// A list of results of one call.
  private static func call(
    _ module: String, _ name: String, of argument: PickleBuilder, count: Int = 20_000, growing: Bool = false
  ) -> [UInt8] {
    let each: [UInt8] = [0x68, 0, 0x68, 1, 0x52] + (growing ? [0x4e, 0x61] : [])
    return member(
      PickleBuilder().global(module, name).op("q").raw([0]).op("0").raw(Array(argument.bytes.dropFirst(2)))
        .raw([0x85]).op("q").raw([1]).op("0](").raw(repeated(each, count)).op("e")
    ).archive().file
  }

  private static var encodings: [UInt8] {
    member(
      PickleBuilder().global("_codecs", "encode").op("q").raw([0]).op("0")
        .string(String(repeating: "x", count: 1 << 18)).string("latin1").raw([0x86]).op("q").raw([1]).op("0](")
        .raw(repeated([0x68, 0, 0x68, 1, 0x52], 20_000)).op("e")
    ).archive().file
  }

  private static var scalars: [UInt8] {
    member(
      PickleBuilder().global("numpy.core.multiarray", "scalar").op("q").raw([0]).op("0").global("numpy", "dtype")
        .string("i8").raw([0x85]).op("R").op("B").raw(bytes(UInt32(1 << 18))).raw(repeated([1], 1 << 18)).raw([0x86])
        .op("q").raw([1]).op("0](").raw(repeated([0x68, 0, 0x68, 1, 0x52], 20_000)).op("e")
    ).archive().file
  }

  /// Lists, each of the one before it many times.
  private static func lists(depth: Int, width: Int) -> PickleBuilder {
    (0..<depth).reduce(PickleBuilder().op("]")) { inner, _ in
      inner.op("q").raw([0]).op("0](").raw(repeated([0x68, 0], width)).op("e")
    }
  }

  private static func tuples(depth: Int, width: Int) -> [UInt8] {
    (0..<depth).reduce([0x29]) { inner, _ in inner + [0x71, 0, 0x30, 0x28] + repeated([0x68, 0], width) + [0x74] }
  }

  /// A dictionary that is given one key many times.
  private static func keys(_ key: PickleBuilder) -> [UInt8] {
    PickleBuilder().raw(Array(key.bytes.dropFirst(2))).op("q").raw([1]).op("0}(")
      .raw(repeated([0x68, 1, 0x4e], 100_000)).op("u").archive().file
  }

  private static var integers: [UInt8] {
    var pickle = PickleBuilder().raw([0x8a, 255] + repeated([0x71], 255)).op("q").raw([0]).op("0}(")
    for index in 0..<50_000 { pickle = pickle.raw([0x4a] + bytes(Int32(index)) + [0x68, 0]) }
    return pickle.op("u").archive().file
  }

  /// Tensors that share the tuple of their extents.
  private static func sizes(rank: Int, count: Int) -> [UInt8] {
    var rows: [UInt8] = []
    for index in 0..<count {
      rows +=
        [0x4a] + bytes(Int32(index)) + [0x68, 0, 0x28, 0x68, 1, 0x4b, 0, 0x68, 2, 0x68, 2, 0x89, 0x68, 3, 0x74, 0x52]
    }
    return PickleBuilder().global("torch._utils", "_rebuild_tensor_v2").op("q").raw([0]).op("0")
      .storage("0", count: 1).op("q").raw([1]).op("0(").raw(repeated([0x4b, 1], rank)).op("tq").raw([2]).op("0}q")
      .raw([3]).op("0}(").raw(rows).op("u").archive(["0": [0, 0, 0, 0]]).file
  }

  private static var storages: [UInt8] {
    var rows: [UInt8] = []
    for index in 0..<50_000 {
      rows +=
        [0x4a] + bytes(Int32(index)) + [0x68, 0, 0x28, 0x68, 1, 0x4b, 0, 0x68, 2, 0x68, 2, 0x89, 0x68, 3, 0x74, 0x52]
    }
    let key = String(repeating: "k", count: 60_000)
    return PickleBuilder().global("torch._utils", "_rebuild_tensor_v2").op("q").raw([0]).op("0")
      .storage(key, count: 1).op("q").raw([1]).op("0(").raw([0x4b, 1]).op("tq").raw([2]).op("0}q")
      .raw([3]).op("0}(").raw(rows).op("u").archive([key: [0, 0, 0, 0]]).file
  }

  /// Dictionaries, each of the one before it under a hundred names: 10⁸ names.
  private static var dictionaries: [UInt8] {
    var pickle = PickleBuilder().op("N")
    for _ in 0..<4 {
      pickle = pickle.op("q").raw([0]).op("0}(")
      for index in 0..<100 { pickle = pickle.string("\(index)").op("h").raw([0]) }
      pickle = pickle.op("u")
    }
    return pickle.archive().file
  }

  private static var memo: [UInt8] {
    var puts: [UInt8] = []
    for index in 0..<(1 << 20) { puts += [0x72] + bytes(UInt32(index)) }
    return PickleBuilder().op("N").raw(puts).archive().file
  }

  /// 64 MB of frames, which do nothing, in some kilobytes.
  private static var deflated: [UInt8] {
    let pickle = PickleBuilder().raw(repeated([0x80, 2], (1 << 25) - 64)).op("}").end
    let stream = Deflate.zlib(pickle).dropFirst(2).dropLast(4)
    var entry = ZipBuilder.Entry("archive/data.pkl", pickle)
    (entry.method, entry.data, entry.compressedSize) = (8, Array(stream), UInt64(stream.count))
    return ZipBuilder([entry]).file
  }

  private static var globals: [UInt8] {
    PickleBuilder().string("__torch__").op("q").raw([0]).op("0").string(String(repeating: "n", count: 1 << 18))
      .op("q").raw([1]).op("0](").raw(repeated([0x68, 0, 0x68, 1, 0x93], 20_000)).op("e").archive().file
  }
}
