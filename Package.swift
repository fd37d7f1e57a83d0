// swift-tools-version: 6.2
import Foundation
import PackageDescription

// Switches, read from the environment when the package is resolved:
//   REAL64=1      builds every number as Double: the precision the finite-difference checks need.
//   TARGET_CPU=x  tunes the kernels for one processor (default `native`; `x86-64` for any, without FMA).
//   TESTS=a,b     leaves out all test targets but these, for a check that needs no more.
let isDouble = Context.environment["REAL64"] == "1"
let targetCPU = Context.environment["TARGET_CPU"] ?? "native"
let testNames = Context.environment["TESTS"]?.split(separator: ",").map(String.init)

/// x86-64 without a newer level has no fused multiply-add; every arm64 has one.
let hasFMA = !["x86-64", "x86-64-v2"].contains(targetCPU)

/// The vector registers of the target decide the shape of the matrix kernel's tile: its speed, never its bits.
let features =
  targetCPU == "native" ? (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? "" : targetCPU
func isOne(of names: String...) -> Bool { names.contains { features.contains($0) } }
let isWide = isOne(
  of: "avx512", "x86-64-v4", "cannonlake", "icelake", "tigerlake", "rocketlake", "cascadelake", "cooperlake", "rapids",
  "znver4", "znver5")
let hasAVX2 = isOne(of: "avx2", "x86-64-v3", "haswell", "broadwell", "lake", "znver")

/// What all code is built with.
let plain: [SwiftSetting] =
  (isDouble ? [.define("REAL64")] : [])
  + (hasFMA ? [] : [.define("NO_FMA")])
  + (isWide ? [.define("WIDE_TILE")] : hasAVX2 ? [.define("AVX2_TILE")] : [])
  // C's square root may set errno, which makes it a call a number; without errno it is one instruction for sixteen.
  + [.unsafeFlags(["-target-cpu", targetCPU, "-Xcc", "-fno-math-errno"])]

/// Numeric code stays optimised in the debug configuration: SIMD is about a hundred times slower without.
let numeric = plain + [.unsafeFlags(["-O"], .when(configuration: .debug))]

/// Pixels lie three bytes apart, from which the compiler makes gathers and scatters: half as fast as single loads.
#if arch(x86_64)
  let pictures = numeric + [.unsafeFlags(["-Xcc", "-mno-gather", "-Xcc", "-mno-scatter"])]
#else
  let pictures = numeric
#endif

/// Tests are compiled without the optimiser, in half the time; but the plain twins of kernels are numeric code.
func test(_ name: String, _ path: String, of dependencies: Target.Dependency...) -> Target {
  .testTarget(
    name: name, dependencies: dependencies + ["FrugalTestSupport"], path: "Tests/\(path)",
    swiftSettings: ["Tensor", "Formats"].contains(path) ? numeric : plain)
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
    "FrugalTests", "frugal", of: "Tensor", "Formats", "Datasets", "Models", "Methods", "Checks", "Reference", "frugal"),
  test("StructureTests", "Structure"),
  // The reference depends on nothing of ours, and neither do its tests.
  .testTarget(name: "ReferenceTests", dependencies: ["Reference"], swiftSettings: numeric),
]

let package = Package(
  name: "frugal",
  products: [
    .executable(name: "frugal", targets: ["frugal"]),
    .library(name: "Frugal", targets: ["Frugal"] + libraries),
  ],
  targets: [
    // The papers in plain loops: what tests, Bench and Checks compare the libraries with; no part of Frugal.
    .target(name: "Reference", swiftSettings: numeric),
    .target(name: "Tensor", swiftSettings: numeric),
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
      name: "frugal", dependencies: ["Tensor", "Formats", "Datasets", "Models", "Methods", "Checks"],
      swiftSettings: numeric),
    .executableTarget(
      name: "Bench", dependencies: ["Reference", "Tensor", "Formats", "Datasets", "Models", "Methods", "Checks"],
      swiftSettings: numeric),
    .target(
      name: "FrugalTestSupport", dependencies: ["Tensor", "Formats", "Checks"], path: "Tests/Support",
      swiftSettings: numeric),
  ] + tests.filter { testNames?.contains($0.name) ?? true },
  swiftLanguageModes: [.v6]
)
