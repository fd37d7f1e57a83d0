#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif
#if arch(x86_64)
  import _Builtin_intrinsics.intel.cpuid
#endif

/// The check that the processor has the instructions which a program was compiled for.
///
/// This target is compiled for any processor, whatever the others are compiled for, so that it can tell the user before
/// the first instruction that would end the process.
package enum Processor {
  /// Ends the process with a sentence if this processor lacks instructions that the build uses.
  ///
  /// - program: the name in the message.
  package static func requireInstructions(of program: String) {
    guard let found, let sentence = objection(built: built, found: found) else {
      return
    }
    var text = "\(program): \(sentence)\n"
    text.withUTF8 { bytes in _ = write(STDERR_FILENO, bytes.baseAddress, bytes.count) }
    exit(1)
  }

  /// The reason why a build cannot run, and the way out; `nil` if it can.
  ///
  /// - built, found: names of instructions, as in the compiler's macros without underscores.
  package static func objection(built: [String], found: Set<String>) -> String? {
    let missing = built.filter { !found.contains($0) }
    guard !missing.isEmpty else { return nil }
    let shown = missing.prefix(4).joined(separator: ", ") + (missing.count > 4 ? ", …" : "")
    return "expected a processor with the instructions that this build uses, found one without \(shown): build it on "
      + "this machine, or with TARGET_CPU=\(level(of: found))"
  }

  /// The instructions that this build was compiled for.
  package static var built: [String] { Instructions.compiled.map(\.rawValue) }

  /// The highest level of x86-64 whose instructions are all found.
  package static func level(of found: Set<String>) -> String {
    let second = ["SSE3", "SSSE3", "SSE4_1", "SSE4_2", "POPCNT"]
    let third = ["AVX", "AVX2", "BMI", "BMI2", "F16C", "FMA", "LZCNT", "MOVBE"]
    let fourth = ["AVX512F", "AVX512BW", "AVX512CD", "AVX512DQ", "AVX512VL"]
    var level = 1
    for names in [second, third, fourth] {
      guard found.isSuperset(of: names) else { break }
      level += 1
    }
    return level == 1 ? "x86-64" : "x86-64-v\(level)"
  }

  /// The instructions of this processor; `nil` where nothing can be asked, as on other architectures.
  package static var found: Set<String>? {
    #if arch(x86_64)
      func registers(_ leaf: UInt32, _ subleaf: UInt32) -> [UInt32] {
        var (a, b, c, d): (UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0)
        return __get_cpuid_count(leaf, subleaf, &a, &b, &c, &d) == 0 ? [0, 0, 0, 0] : [a, b, c, d]
      }
      let names = Instructions.allCases.filter { instructions in
        let place = instructions.bit
        return registers(place.leaf, place.subleaf)[place.register] >> UInt32(place.bit) & 1 == 1
      }.map(\.rawValue)
      return Set(names)
    #else
      return nil
    #endif
  }
}
