import FrugalTestSupport
import Tensor
import Testing

@testable import Methods

@Suite struct DivergenceTermTests {
  /// With λ = 0 the divergence is a term of the metrics, and no bit of the masks depends on it.
  @Test func theDivergenceIsLoggedWithoutGradientDropoutToo() throws {
    let fixture = try RunFixture()
    func run(_ method: String) throws -> (state: TrainingState, metrics: [EpochMetrics]) {
      let base = try fixture.makeRun(method, folder: method) { $0[MaskTuningSettings.self]?.lambda = 0 }
      try base.folder.create(base.configuration)
      let found = try SteppedRun(base).run()
      return (found.state, found.metrics)
    }
    let (regularised, plain) = (try run("r-amt"), try run("mask-tuning"))
    #expect(regularised.state.values == plain.state.values)
    #expect(regularised.metrics.allSatisfy { ($0.terms["kl"] ?? 0) > 0 })
    #expect(plain.metrics.allSatisfy { $0.terms["kl"] == nil && $0.terms["ce"] != nil })
  }
}
