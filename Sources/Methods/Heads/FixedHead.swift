import Models
import Tensor

/// A head that is no longer trained.
struct FixedHead: Head {
  let head: any Head
  let values: [Tensor]

  var trainables: [Trainable] { [] }

  /// Those of the head.
  func rows(_ none: [Tensor]) -> Tensor? { head.rows(values) }

  func prepared(_ features: Variable) -> Variable { head.prepared(features) }

  func logits(_ features: Variable, _ none: [Variable], _ pass: Pass) -> Variable {
    head.logits(features, values.map { Variable($0) }, pass)
  }

  func logits(prepared features: Variable, _ none: [Variable], _ pass: Pass) -> Variable {
    head.logits(prepared: features, values.map { Variable($0) }, pass)
  }

  /// That of the head, with the same values.
  func settled(_ none: [Variable], _ pass: Pass) -> any Head {
    FixedHead(head: head.settled(values.map { Variable($0) }, pass), values: values)
  }
}
