import Foundation
import Testing

@testable import Datasets

@Suite struct PlainMathTests {
  @Test func sineAndCosine() {
    for step in -4000...4000 {
      let x = Double(step) * 0.037
      #expect(abs(PlainMath.sin(x) - sin(x)) < 1e-9, "\(x)")
      #expect(abs(PlainMath.cos(x) - cos(x)) < 1e-9, "\(x)")
    }
  }

  @Test func angles() {
    for row in -20...20 {
      for column in -20...20 {
        let (y, x) = (Double(row) * 0.31, Double(column) * 0.17)
        guard row != 0 || column != 0 else { continue }
        #expect(abs(PlainMath.atan2(y, x) - atan2(y, x)) < 1e-9, "\(y), \(x)")
      }
    }
    #expect(PlainMath.atan2(0, 0) == 0)
    #expect(abs(PlainMath.atan2(0, -1) - .pi) < 1e-15)
  }
}
