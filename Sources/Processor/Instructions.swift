/// Sets of instructions beyond those of every x86-64, which compilers use of their own accord: by their names in the
/// compiler's macros, `__AVX2__`, and the bit of `cpuid` that tells them.
enum Instructions: String, CaseIterable {
  case sse3 = "SSE3"
  case ssse3 = "SSSE3"
  case fma = "FMA"
  case sse41 = "SSE4_1"
  case sse42 = "SSE4_2"
  case movbe = "MOVBE"
  case popcnt = "POPCNT"
  case avx = "AVX"
  case f16c = "F16C"
  case bmi = "BMI"
  case avx2 = "AVX2"
  case bmi2 = "BMI2"
  case avx512f = "AVX512F"
  case avx512dq = "AVX512DQ"
  case avx512ifma = "AVX512IFMA"
  case avx512cd = "AVX512CD"
  case avx512bw = "AVX512BW"
  case avx512vl = "AVX512VL"
  case avx512vbmi = "AVX512VBMI"
  case avx512vbmi2 = "AVX512VBMI2"
  case gfni = "GFNI"
  case avx512vnni = "AVX512VNNI"
  case avx512bitalg = "AVX512BITALG"
  case avx512vpopcntdq = "AVX512VPOPCNTDQ"
  case avx512vp2intersect = "AVX512VP2INTERSECT"
  case avx512fp16 = "AVX512FP16"
  case avxvnni = "AVXVNNI"
  case avx512bf16 = "AVX512BF16"
  case avxifma = "AVXIFMA"
  case avxvnniint8 = "AVXVNNIINT8"
  case avxneconvert = "AVXNECONVERT"
  case avxvnniint16 = "AVXVNNIINT16"
  case lzcnt = "LZCNT"
  case sse4a = "SSE4A"
  case xop = "XOP"
  case fma4 = "FMA4"
  case tbm = "TBM"

  /// Where `cpuid` tells them: leaf and subleaf, one of the four registers, and a bit of it.
  var bit: (leaf: UInt32, subleaf: UInt32, register: Int, bit: Int) {
    switch self {
    case .sse3: (1, 0, 2, 0)
    case .ssse3: (1, 0, 2, 9)
    case .fma: (1, 0, 2, 12)
    case .sse41: (1, 0, 2, 19)
    case .sse42: (1, 0, 2, 20)
    case .movbe: (1, 0, 2, 22)
    case .popcnt: (1, 0, 2, 23)
    case .avx: (1, 0, 2, 28)
    case .f16c: (1, 0, 2, 29)
    case .bmi: (7, 0, 1, 3)
    case .avx2: (7, 0, 1, 5)
    case .bmi2: (7, 0, 1, 8)
    case .avx512f: (7, 0, 1, 16)
    case .avx512dq: (7, 0, 1, 17)
    case .avx512ifma: (7, 0, 1, 21)
    case .avx512cd: (7, 0, 1, 28)
    case .avx512bw: (7, 0, 1, 30)
    case .avx512vl: (7, 0, 1, 31)
    case .avx512vbmi: (7, 0, 2, 1)
    case .avx512vbmi2: (7, 0, 2, 6)
    case .gfni: (7, 0, 2, 8)
    case .avx512vnni: (7, 0, 2, 11)
    case .avx512bitalg: (7, 0, 2, 12)
    case .avx512vpopcntdq: (7, 0, 2, 14)
    case .avx512vp2intersect: (7, 0, 3, 8)
    case .avx512fp16: (7, 0, 3, 23)
    case .avxvnni: (7, 1, 0, 4)
    case .avx512bf16: (7, 1, 0, 5)
    case .avxifma: (7, 1, 0, 23)
    case .avxvnniint8: (7, 1, 3, 4)
    case .avxneconvert: (7, 1, 3, 5)
    case .avxvnniint16: (7, 1, 3, 10)
    case .lzcnt: (0x8000_0001, 0, 2, 5)
    case .sse4a: (0x8000_0001, 0, 2, 6)
    case .xop: (0x8000_0001, 0, 2, 11)
    case .fma4: (0x8000_0001, 0, 2, 16)
    case .tbm: (0x8000_0001, 0, 2, 21)
    }
  }

  /// Those that this build was compiled for; the manifest hands over the compiler's macros.
  static let compiled: [Instructions] = {
    var found: [Instructions] = []
    #if __SSE3__
      found.append(.sse3)
    #endif
    #if __SSSE3__
      found.append(.ssse3)
    #endif
    #if __FMA__
      found.append(.fma)
    #endif
    #if __SSE4_1__
      found.append(.sse41)
    #endif
    #if __SSE4_2__
      found.append(.sse42)
    #endif
    #if __MOVBE__
      found.append(.movbe)
    #endif
    #if __POPCNT__
      found.append(.popcnt)
    #endif
    #if __AVX__
      found.append(.avx)
    #endif
    #if __F16C__
      found.append(.f16c)
    #endif
    #if __BMI__
      found.append(.bmi)
    #endif
    #if __AVX2__
      found.append(.avx2)
    #endif
    #if __BMI2__
      found.append(.bmi2)
    #endif
    #if __AVX512F__
      found.append(.avx512f)
    #endif
    #if __AVX512DQ__
      found.append(.avx512dq)
    #endif
    #if __AVX512IFMA__
      found.append(.avx512ifma)
    #endif
    #if __AVX512CD__
      found.append(.avx512cd)
    #endif
    #if __AVX512BW__
      found.append(.avx512bw)
    #endif
    #if __AVX512VL__
      found.append(.avx512vl)
    #endif
    #if __AVX512VBMI__
      found.append(.avx512vbmi)
    #endif
    #if __AVX512VBMI2__
      found.append(.avx512vbmi2)
    #endif
    #if __GFNI__
      found.append(.gfni)
    #endif
    #if __AVX512VNNI__
      found.append(.avx512vnni)
    #endif
    #if __AVX512BITALG__
      found.append(.avx512bitalg)
    #endif
    #if __AVX512VPOPCNTDQ__
      found.append(.avx512vpopcntdq)
    #endif
    #if __AVX512VP2INTERSECT__
      found.append(.avx512vp2intersect)
    #endif
    #if __AVX512FP16__
      found.append(.avx512fp16)
    #endif
    #if __AVXVNNI__
      found.append(.avxvnni)
    #endif
    #if __AVX512BF16__
      found.append(.avx512bf16)
    #endif
    #if __AVXIFMA__
      found.append(.avxifma)
    #endif
    #if __AVXVNNIINT8__
      found.append(.avxvnniint8)
    #endif
    #if __AVXNECONVERT__
      found.append(.avxneconvert)
    #endif
    #if __AVXVNNIINT16__
      found.append(.avxvnniint16)
    #endif
    #if __LZCNT__
      found.append(.lzcnt)
    #endif
    #if __SSE4A__
      found.append(.sse4a)
    #endif
    #if __XOP__
      found.append(.xop)
    #endif
    #if __FMA4__
      found.append(.fma4)
    #endif
    #if __TBM__
      found.append(.tbm)
    #endif
    return found
  }()
}
