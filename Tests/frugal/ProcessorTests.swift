import Processor
import Testing

/// A build says what it needs where the processor lacks it; the features are made up.
@Suite struct ProcessorTests {
  private let second = ["SSE3", "SSSE3", "SSE4_1", "SSE4_2", "POPCNT"]
  private let third = ["AVX", "AVX2", "BMI", "BMI2", "F16C", "FMA", "LZCNT", "MOVBE"]
  private let fourth = ["AVX512F", "AVX512BW", "AVX512CD", "AVX512DQ", "AVX512VL"]

  @Test func aBuildRunsWhereItsInstructionsAre() {
    #expect(Processor.objection(built: [], found: []) == nil)
    #expect(Processor.objection(built: second, found: Set(second)) == nil)
    #expect(Processor.objection(built: second, found: Set(second + third)) == nil)
  }

  @Test func missingInstructionsAreNamedWithTheWayOut() {
    #expect(
      Processor.objection(built: second + ["AVX", "FMA"], found: Set(second + ["AVX"]))
        == "expected a processor with the instructions that this build uses, found one without FMA: build it on this "
        + "machine, or with TARGET_CPU=x86-64-v2")
    let sentence = Processor.objection(built: second + third + fourth, found: Set(second + third))
    #expect(sentence?.contains("without AVX512F, AVX512BW, AVX512CD, AVX512DQ, …: ") ?? false)
    #expect(sentence?.hasSuffix("TARGET_CPU=x86-64-v3") ?? false)
  }

  @Test func levelsHaveAllInstructionsBelowThem() {
    #expect(Processor.level(of: []) == "x86-64")
    #expect(Processor.level(of: Set(third + fourth)) == "x86-64")
    #expect(Processor.level(of: Set(second)) == "x86-64-v2")
    #expect(Processor.level(of: Set(second + third + fourth.dropLast())) == "x86-64-v3")
    #expect(Processor.level(of: Set(second + third + fourth)) == "x86-64-v4")
  }

  #if arch(x86_64)
    @Test func thisProcessorRunsThisBuild() throws {
      let found = try #require(Processor.found)
      #expect(Processor.objection(built: Processor.built, found: found) == nil)
    }
  #endif
}
