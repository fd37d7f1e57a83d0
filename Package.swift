// swift-tools-version: 6.2
import Foundation
import PackageDescription

// Switches, read from the environment when the package is resolved:
//   REAL64=1      builds every number as Double: the precision the finite-difference checks need.
//   TARGET_CPU=x  tunes the kernels for one processor (default `native`; x86-64, x86-64-v2, -v3, -v4 for any of a
//                 level; before v3 without FMA).
//   TESTS=a,b     leaves out all test targets but these, Bench and Fuzz, for a check that needs no more.
//   KERNELS=only  leaves all but the kernels unoptimised in debug, for a check of these.
//   TILE=arm64    gives x86-64 the tile of arm64's matrix kernel, of 128-bit registers, for its tests.
//   LIBFUZZER=1   counts the code that is reached, for libFuzzer; with the address sanitizer.
//   PREFETCH=0    leaves out the prefetch instruction, whose binding the thread sanitizer cannot compile.
let isDouble = Context.environment["REAL64"] == "1"
let targetCPU = Context.environment["TARGET_CPU"] ?? "native"
let testNames = Context.environment["TESTS"]?.split(separator: ",").map(String.init)
let areKernelsAlone = Context.environment["KERNELS"] == "only"
let hasLibFuzzer = Context.environment["LIBFUZZER"] == "1"
let hasArmTile = Context.environment["TILE"] == "arm64"

/// The compiler's own statement of what a processor of x86-64 has: its macros, such as `__FMA__`.
func macros(of processor: String) -> Set<String> {
  // The compiler beside the library that this manifest is linked with.
  let maps = (try? String(contentsOfFile: "/proc/self/maps", encoding: .utf8)) ?? ""
  let library = maps.split(separator: "\n").first { $0.contains("/lib/swift/pm/") } ?? ""
  let toolchain = library.firstIndex(of: "/").map { library[$0...] }?.firstRange(of: "/lib/swift/pm/")
  let folder = toolchain.map { String(library[library.firstIndex(of: "/")!..<$0.lowerBound]) }
  let (process, output) = (Process(), Pipe())
  process.executableURL = URL(fileURLWithPath: folder.map { "\($0)/bin/clang" } ?? "/usr/bin/env")
  process.arguments = (folder == nil ? ["clang"] : []) + ["-march=\(processor)", "-dM", "-E", "-x", "c", "/dev/null"]
  process.standardOutput = output
  guard (try? process.run()) != nil else { fatalError("clang: expected it beside swift, found none") }
  let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  process.waitUntilExit()
  guard process.terminationStatus == 0 else {
    fatalError("TARGET_CPU: expected a processor that the compiler knows, found \"\(processor)\"")
  }
  return Set(text.split(separator: "\n").compactMap { $0.split(separator: " ").dropFirst().first.map(String.init) })
}

#if arch(x86_64)
  let features = macros(of: targetCPU)
  /// What the code may use beyond the instructions of every x86-64.
  let newFeatures = features.subtracting(macros(of: "x86-64")).filter {
    $0.wholeMatch(of: /__[A-Z][A-Z0-9_]*__/) != nil
  }
  let hasFMA = features.contains("__FMA__")
#else
  let (features, newFeatures, hasFMA) = (Set<String>(), Set<String>(), true)
#endif

/// The vector registers of the target decide the shape of the matrix kernel's tile: its speed, never its bits.
let isWide = features.contains("__AVX512F__") && !hasArmTile
let hasAVX2 = features.contains("__AVX2__") && !hasArmTile

/// Levels are no processors to Swift's own flag.
let processor = targetCPU.hasPrefix("x86-64-v") ? ["-Xcc", "-march=\(targetCPU)"] : ["-target-cpu", targetCPU]

/// What libFuzzer counts.
let counted = "edge,inline-8bit-counters,pc-table"

/// What all code is built with.
let plain: [SwiftSetting] = {
  var settings: [SwiftSetting] = []
  func define(_ name: String, if isWanted: Bool) { if isWanted { settings.append(.define(name)) } }
  define("REAL64", if: isDouble)
  define("NO_FMA", if: !hasFMA)
  define("WIDE_TILE", if: isWide)
  define("AVX2_TILE", if: hasAVX2 && !isWide)
  define("ARM64_TILE", if: hasArmTile)
  define("SHA_INSTRUCTIONS", if: features.contains("__SHA__"))
  define("NO_PREFETCH", if: Context.environment["PREFETCH"] == "0")
  define("LIBFUZZER", if: hasLibFuzzer)
  if hasLibFuzzer { settings.append(.unsafeFlags(["-sanitize=address", "-sanitize-coverage=\(counted)"])) }
  // C's square root may set errno, which makes it a call a number; without errno it is one instruction for sixteen.
  settings.append(.unsafeFlags(processor + ["-Xcc", "-fno-math-errno"]))
  return settings
}()

/// Numeric code stays optimised in the debug configuration: SIMD is about a hundred times slower without.
let optimized = plain + [.unsafeFlags(["-O"], .when(configuration: .debug))]
let numeric = areKernelsAlone ? plain : optimized

/// Kernels are generic and used in other files, which only a module that is compiled as a whole specialises: else its
/// products take more than ten times as long. Several threads, as the files of an index are written one a source.
let kernels =
  optimized
  + [.unsafeFlags(["-wmo", "-num-threads", "2", "-disable-batch-mode"], .when(configuration: .debug))]

/// Pixels lie three bytes apart, from which the compiler makes gathers and scatters: half as fast as single loads.
#if arch(x86_64)
  let pictures = numeric + [.unsafeFlags(["-Xcc", "-mno-gather", "-Xcc", "-mno-scatter"])]
#else
  let pictures = numeric
#endif

/// What runs on any processor, to say whether the rest does.
#if arch(x86_64)
  let anywhere: [SwiftSetting] =
    [.unsafeFlags(["-target-cpu", "x86-64"])] + newFeatures.sorted().map { .define($0) }
#else
  let anywhere: [SwiftSetting] = []
#endif

/// Tests are compiled without the optimiser, in half the time; but the plain twins of kernels are numeric code.
func test(_ name: String, _ path: String, of dependencies: Target.Dependency...) -> Target {
  .testTarget(
    name: name, dependencies: dependencies + ["FrugalTestSupport"], path: "Tests/\(path)",
    swiftSettings: ["Tensor", "Formats"].contains(path) ? optimized : plain)
}

/// The libraries, each of which may import those before it.
let libraries = ["Tensor", "Formats", "Datasets", "Models", "Methods"]

let tests = [
  test("TensorTests", "Tensor", of: "Tensor", "Formats", "Checks", "Reference"),
  test("FormatsTests", "Formats", of: "Tensor", "Formats", "Checks"),
  test("DatasetsTests", "Datasets", of: "Tensor", "Formats", "Datasets"),
  test("ModelsTests", "Models", of: "Tensor", "Formats", "Models", "Checks"),
  test("MethodsTests", "Methods", of: "Tensor", "Formats", "Datasets", "Models", "Methods", "Checks", "Reference"),
  test("ChecksTests", "Checks", of: "Tensor", "Formats", "Models", "Methods", "Checks"),
  test(
    "FrugalTests", "frugal",
    of: "Tensor", "Formats", "Datasets", "Models", "Methods", "Checks", "Reference", "Processor", "frugal"),
  test("FuzzTests", "FuzzTests", of: "Formats", "Fuzz"),
  test("StructureTests", "Structure"),
  // The reference depends on nothing of ours, and neither do its tests.
  .testTarget(name: "ReferenceTests", dependencies: ["Reference"], swiftSettings: numeric),
]

/// What measures and what breaks the libraries.
let tools: [Target] = [
  .executableTarget(
    name: "Bench",
    dependencies: ["Processor", "Reference", "Tensor", "Formats", "Datasets", "Models", "Methods", "Checks"],
    swiftSettings: numeric),
  .executableTarget(
    name: "Fuzz", dependencies: ["Tensor", "Formats", "Datasets", "Models", "Methods", "Checks"],
    swiftSettings: numeric,
    linkerSettings: hasLibFuzzer ? [.unsafeFlags(["-sanitize=fuzzer", "-use-ld=lld"])] : []),
]

let package = Package(
  name: "frugal",
  products: [
    .executable(name: "frugal", targets: ["frugal"]),
    .library(name: "Frugal", targets: ["Frugal"] + libraries),
  ],
  targets: [
    // The papers in plain loops: what tests, Bench and `frugal doctor` compare the libraries with; no part of Frugal.
    .target(name: "Reference", swiftSettings: numeric),
    .target(name: "Processor", swiftSettings: anywhere),
    .target(name: "Tensor", swiftSettings: kernels),
    .target(name: "Formats", dependencies: ["Tensor"], swiftSettings: pictures),
    .target(name: "Datasets", dependencies: ["Tensor", "Formats"], swiftSettings: pictures),
    .target(
      name: "Models", dependencies: ["Tensor", "Formats"], resources: [.copy("Miniature")], swiftSettings: numeric),
    .target(
      name: "Methods", dependencies: ["Tensor", "Formats", "Datasets", "Models"], swiftSettings: numeric),
    .target(
      name: "Frugal", dependencies: ["Tensor", "Formats", "Datasets", "Models", "Methods"], path: "Sources/Library",
      swiftSettings: plain),
    .target(name: "Checks", dependencies: ["Tensor", "Formats", "Models", "Methods"], swiftSettings: numeric),
    .executableTarget(
      name: "frugal",
      dependencies: ["Processor", "Reference", "Tensor", "Formats", "Datasets", "Models", "Methods", "Checks"],
      swiftSettings: plain),
    .target(
      name: "FrugalTestSupport", dependencies: ["Tensor", "Formats", "Checks"], path: "Tests/Support",
      swiftSettings: numeric),
  ] + (testNames == nil ? tools : []) + tests.filter { testNames?.contains($0.name) ?? true },
  swiftLanguageModes: [.v6]
)
