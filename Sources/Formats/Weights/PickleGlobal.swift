import Tensor

/// The names a pickle may refer to: those that tensors, dictionaries of them and plain values need. None is a function
/// that is called; each names one rule that makes a value.
enum PickleGlobal: Hashable {
  case orderedDictionary
  case set(isFrozen: Bool)
  case bytes
  /// `_codecs.encode`: how Python 3 writes bytes in protocol 2, as text in Latin-1.
  case encode
  case size
  /// NumPy's scalars and their types.
  case numPyScalar
  case numPyType
  case device
  case storage(ElementType)
  /// A storage without a type.
  case untypedStorage
  case type(ElementType)
  case rebuildTensor(Version)
  case rebuildParameter
  /// TorchScript's typed lists.
  case scriptList
  /// TorchScript's annotation of a value with a type, which is a text.
  case scriptTag
  /// A class whose instances are bags of attributes: TorchScript's modules, `argparse.Namespace`.
  case bag(String)

  /// The forms in which PyTorch has written tensors.
  enum Version: Equatable { case first, second, third }

  /// The global of a module and a name; `nil` for any other.
  init?(module: String, name: String) {
    if module == "__torch__" || module.hasPrefix("__torch__.") {
      self = .bag("\(module).\(name)")
      return
    }
    guard let global = Self.known["\(module).\(name)"] else { return nil }
    self = global
  }

  private static let known: [String: PickleGlobal] = {
    var known: [String: PickleGlobal] = [
      "collections.OrderedDict": .orderedDictionary,
      "_codecs.encode": .encode,
      "torch.Size": .size,
      "numpy.core.multiarray.scalar": .numPyScalar,
      "numpy._core.multiarray.scalar": .numPyScalar,
      "numpy.dtype": .numPyType,
      "torch.device": .device,
      "torch.storage.UntypedStorage": .untypedStorage,
      "torch.UntypedStorage": .untypedStorage,
      "torch._utils._rebuild_tensor": .rebuildTensor(.first),
      "torch._utils._rebuild_tensor_v2": .rebuildTensor(.second),
      "torch._utils._rebuild_tensor_v3": .rebuildTensor(.third),
      "torch._utils._rebuild_parameter": .rebuildParameter,
      "torch.jit._pickle.restore_type_tag": .scriptTag,
      "argparse.Namespace": .bag("argparse.Namespace"),
    ]
    for list in ["int", "tensor", "double", "bool"] { known["torch.jit._pickle.build_\(list)list"] = .scriptList }
    // Python 2 and 3 have different names for the module.
    for module in ["builtins", "__builtin__"] {
      known["\(module).set"] = .set(isFrozen: false)
      known["\(module).frozenset"] = .set(isFrozen: true)
      known["\(module).bytes"] = .bytes
      known["\(module).bytearray"] = .bytes
    }
    let storages: [(String, ElementType)] = [
      ("Double", .f64), ("Float", .f32), ("Half", .f16), ("BFloat16", .bf16), ("Long", .i64), ("Int", .i32),
      ("Short", .i16), ("Char", .i8), ("Byte", .u8), ("Bool", .bool),
    ]
    for (name, type) in storages { known["torch.\(name)Storage"] = .storage(type) }
    let types: [(String, ElementType)] = [
      ("float64", .f64), ("double", .f64), ("float32", .f32), ("float", .f32), ("float16", .f16), ("half", .f16),
      ("bfloat16", .bf16), ("float8_e4m3fn", .f8E4M3), ("float8_e5m2", .f8E5M2), ("int64", .i64), ("long", .i64),
      ("int32", .i32), ("int", .i32), ("int16", .i16), ("short", .i16), ("int8", .i8), ("uint8", .u8),
      ("uint16", .u16), ("uint32", .u32), ("uint64", .u64), ("bool", .bool),
    ]
    for (name, type) in types { known["torch.\(name)"] = .type(type) }
    return known
  }()

  /// Its name in errors.
  var name: String {
    if case .bag(let name) = self { return name }
    return Self.names[self] ?? "\(self)"
  }

  /// The first name of each.
  private static let names = Dictionary(known.map { ($0.value, $0.key) }) { min($0, $1) }
}
