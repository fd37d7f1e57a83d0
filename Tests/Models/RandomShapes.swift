import Checks
import Formats
import Tensor

@testable import Models

/// Names and shapes of a model, without numbers.
struct RandomShapes: TensorSource {
  let label = "w"
  private var shapes: [String: Shape] = [:]

  init(_ model: ImageConfiguration, _ layout: WeightLayout) {
    for (name, shape) in model.shapes(classes: nil).ordered {
      if let rule = layout.rule(for: name) { shapes[rule.name] = rule.form.storedShape(of: shape) }
    }
  }

  var names: [String] { shapes.keys.sorted() }
  func shape(of name: String) -> Shape? { shapes[name] }
  func tensor(_ name: String) -> Tensor { trap("RandomShapes: nothing reads \(name)") }
}
