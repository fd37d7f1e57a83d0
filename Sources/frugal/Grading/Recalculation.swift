/// What can calculate a tensor of a reference again, from other values of the tensors that it depends on.
struct Recalculation: Sendable {
  /// The values of tensors by name.
  typealias Values = [String: GradedTensor]

  /// The tensor of a name; `nil` for one that it does not know.
  let result: @Sendable (_ name: String, _ values: Values) -> [Double]?
  /// What known mistakes would give, by their names.
  let mistakes: @Sendable (_ name: String, _ values: Values) -> [(name: String, values: [Double])]
}
