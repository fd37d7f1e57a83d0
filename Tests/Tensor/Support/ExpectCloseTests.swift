import FrugalTestSupport
import Tensor
import Testing

@Suite struct ExpectCloseTests {
  @Test func differencesWithinTheTolerancePass() {
    expectClose([1, 100, .nan, .infinity], [1.001, 100.1, .nan, .infinity], rtol: 1e-3, atol: 1e-4)
    expectClose(Tensor([0, 3], []), Tensor([0, 3], []), rtol: 0, atol: 0)
  }

  @Test func worstElementIsReportedAtItsIndex() {
    let got = Tensor([2, 3], [0, 0, 0, 0, 5, 1])
    withKnownIssue {
      expectClose(got, .zeros([2, 3]), rtol: 0, atol: 0.5, "y")
    } matching: { issue in
      let text = issue.comments.map(\.rawValue).joined()
      return text.hasPrefix("y[1, 1]: got 5.0, want 0.0") && text.contains("10.0 × the tolerance")
        && text.contains("2 of 6 elements")
    }
  }

  @Test(
    arguments: [
      ([1], [2]), ([.nan], [1]), ([1], [.nan]), ([.infinity], [-.infinity]), ([1], [.infinity]), ([1, 2], [1]),
    ] as [([Double], [Double])])
  func whatDiffersFails(_ got: [Double], _ want: [Double]) {
    withKnownIssue { expectClose(got, want, rtol: 1e-3, atol: 1e-3) }
  }

  @Test func anotherShapeFails() {
    withKnownIssue { expectClose(Tensor.zeros([2, 3]), .zeros([3, 2]), rtol: 1, atol: 1) }
  }
}
