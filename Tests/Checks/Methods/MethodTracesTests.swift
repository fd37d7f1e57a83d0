import FrugalTestSupport
import Methods
import Tensor
import Testing

@testable import Checks

@Suite(.serialized) struct MethodTracesTests {
  @Test(arguments: MethodTraces.methods(seed: 1) + MethodTraces.optimizers + MethodChecks.rules(seed: 1))
  func bitsDependOnInputsAndSeedAlone(_ trace: Trace) { expectSameBits(trace) }

  @Test func everyMethodThatTrainsIsTraced() {
    let names = MethodTraces.methods(seed: 1).map(\.name)
    let all = MethodList.encoders.flatMap { encoder in MethodList.heads.map { MethodName(encoder, $0) } }
    #expect(names == all.filter { $0.isTrained && $0.publishedRefusal == nil }.map { $0.description })
    #expect(names.contains("r-amt+task-res") && Set(names).count == names.count)
  }

  /// A trace in which nothing happens would be the same anywhere.
  @Test(arguments: MethodTraces.methods(seed: 1)) func everyStepMovesEveryTensorAndTurnsMasks(_ trace: Trace) throws {
    let name = try #require(MethodName(trace.name))
    let tensors = Dictionary(uniqueKeysWithValues: trace.tensors().map { ($0.name, $0.value) })
    let method = MethodBatch(name).method
    let trainables = method.trainables.map(\.name)
    let halves = method.split(trainables)
    for (half, names) in [("encoder", halves.encoder), ("head", halves.head)] {
      // All steps, or those of the half's stage.
      let isTrained = (1...3).map { tensors["\(name)/step \($0)/rate/\(half)"] != nil }
      for tensor in names {
        let values = try (1...3).map { try #require(tensors["\(name)/step \($0)/value/\(tensor)"]) }
        let gradients = try (1...3).map { try #require(tensors["\(name)/step \($0)/gradient/\(tensor)"]) }
        let moves = zip(values, values.dropFirst()).map { $0 != $1 }
        #expect(moves == Array(isTrained.dropFirst()), "\(tensor)")
        // Of three images, drop path may leave a branch out in all.
        let count = gradients.count { gradient in gradient.values.contains { $0 != 0 } }
        let steps = isTrained.count { $0 }
        #expect(steps > 0 && count >= min(2, steps) && count <= steps, "\(tensor)")
      }
    }
    for step in 1...3 { #expect(tensors["\(name)/step \(step)/loss/loss"] != nil) }
    guard method.encoder is MaskTuning else { return }
    for step in 2...3 {
      let flips = trainables.filter { $0.hasSuffix(".mask") }.reduce(0) { sum, mask in
        let before = tensors["\(name)/step \(step - 1)/value/\(mask)"]?.values ?? []
        let after = tensors["\(name)/step \(step)/value/\(mask)"]?.values ?? []
        return sum + zip(before, after).count { ($0 > MaskTuning.threshold) != ($1 > MaskTuning.threshold) }
      }
      #expect(flips > 0, "step \(step)")
    }
  }

  /// Gradient dropout draws, and so do dropout and stochastic depth; masks alone do not.
  @Test func theSeedChangesWhatIsDrawn() throws {
    func bits(_ name: String, seed: UInt64) throws -> [[Real]] {
      try #require(MethodTraces.methods(seed: seed).first { $0.name == name }).tensors().map(\.value.values)
    }
    #expect(try bits("r-amt", seed: 1) != bits("r-amt", seed: 2))
    #expect(try bits("mask-tuning", seed: 1) == bits("mask-tuning", seed: 2))
    #expect(try bits("spt-lora", seed: 1) != bits("spt-lora", seed: 2))
  }
}
