import Foundation

extension Exercise {
  /// The assignment as Markdown: what is given, what is asked for, and how to check and hand in.
  func statement(student: String) -> String {
    let own = instance(.own, student: student)
    let given = inputs.map { "| `\($0.name)` | \(shapeText($0.name, own)) | \($0.meaning) |" }
    let asked = steps.enumerated().map { index, step in
      "| \(index + 1) | `\(step.name)` | \(shapeText(step.name, own)) | \(cell(step.formula)) | "
        + "\(step.from.map { "`\($0)`" }.joined(separator: ", ")) | \(step.equation) |"
    }
    return """
      # \(title)

      \(introduction)

      For: \(student.split(whereSeparator: \.isNewline).joined(separator: " "))

      ## Given

      Files `inputs/NAME.npy`, in double precision. A vector has one index; a number has none.

      | name | shape | meaning |
      | --- | --- | --- |
      \(given.joined(separator: "\n"))

      ## Asked for

      Calculate these in this order. Each needs only what its row names. ⟨·,·⟩ is an inner product, ‖·‖ the Euclidean
      norm, ∂x short for ∂L/∂x, 1[…] is 1 where the condition holds and else 0.

      | | name | shape | formula | from | number |
      | --- | --- | --- | --- | --- | --- |
      \(asked.joined(separator: "\n"))

      Numbers are those of the formulas in `docs/methods` of frugal; others name the paper.

      ## How to go on

      Fill in the marked functions of `solution.py` (NumPy) or `Solution.swift`, then try them on the public numbers, whose
      answers are known:

          python3 solution.py public/inputs public/answers
          frugal grade public/check.safetensors public/answers --rubric rubric.json

      or `swiftc -O Solution.swift -o solution` and `./solution public/inputs public/answers`. The check names the first
      tensor that differs and, where one mistake explains it, the mistake. Shapes of your own numbers are others than
      those of the public ones. When all is right, calculate your own answers and hand in the folder `answers` and your
      code:

          python3 solution.py inputs answers

      """
  }

  /// `[3, 4]`, or `a number`.
  private func shapeText(_ name: String, _ values: ExerciseValues) -> String {
    let shape = shape(name, values)
    return shape.isEmpty ? "a number" : "\(shape)"
  }

  /// A bar within a cell of a table is escaped.
  private func cell(_ text: String) -> String { text.replacing("|", with: "\\|") }
}
