import Tensor

/// The types of stored elements, by the names that the safetensors format gives them.
public enum ElementType: String, CaseIterable, Hashable, Sendable {
  case bool = "BOOL"
  case u8 = "U8"
  case i8 = "I8"
  case f8E5M2 = "F8_E5M2"
  case f8E4M3 = "F8_E4M3"
  case i16 = "I16"
  case u16 = "U16"
  case f16 = "F16"
  case bf16 = "BF16"
  case i32 = "I32"
  case u32 = "U32"
  case f32 = "F32"
  case f64 = "F64"
  case i64 = "I64"
  case u64 = "U64"

  /// The type of `Real`: F32, or F64 in a double-precision build.
  public static let real: ElementType = Real.self == Double.self ? .f64 : .f32

  /// The bytes of one element.
  package var size: Int {
    switch self {
    case .bool, .u8, .i8, .f8E5M2, .f8E4M3: 1
    case .i16, .u16, .f16, .bf16: 2
    case .i32, .u32, .f32: 4
    case .f64, .i64, .u64: 8
    }
  }

  /// True if the elements are floating-point numbers.
  public var isFloatingPoint: Bool {
    switch self {
    case .f8E5M2, .f8E4M3, .f16, .bf16, .f32, .f64: true
    case .bool, .u8, .i8, .i16, .u16, .i32, .u32, .i64, .u64: false
    }
  }
}
