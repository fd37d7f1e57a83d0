import Formats
import Foundation

/// A Jupyter notebook of an exercise, in the source form that nbgrader or otter-grader reads.
struct ExerciseNotebook {
  /// The tool that assigns and grades it.
  enum Tool: String, Sendable {
    case nbgrader, otter
  }

  private let exercise: Exercise
  private let tool: Tool
  private let hidden: ExerciseValues
  private var cells: [JSONDocument] = []

  /// The cells of the statement, and of every tensor: the blank, and a test on the public numbers that is seen and one
  /// on hidden numbers that is not. The hidden numbers are in their tests, which the tools remove from what students
  /// get; they copy files beside the notebook.
  ///
  /// - hidden: the student id of the hidden numbers, which only the grader knows.
  init(_ exercise: Exercise, for tool: Tool, hidden: String) {
    (self.exercise, self.tool) = (exercise, tool)
    self.hidden = exercise.instance(.own, student: hidden)
    if tool == .otter {
      // The notebook has no solution that its tests could be run against.
      let configuration = ["name: \(exercise.name)", "requirements: [numpy]", "files: [public]", "run_tests: false"]
      add("raw", "# ASSIGNMENT CONFIG\n" + configuration.joined(separator: "\n"))
    }
    add("markdown", "# \(exercise.title)\n\n\(exercise.introduction)", id: "statement")
    add("code", Self.support(exercise), id: "support")
    for step in exercise.steps { add(step) }
  }

  /// The notebook as a file.
  func write(to url: URL) throws {
    let kernel = Self.object([
      "display_name": .string("Python 3"), "language": .string("python"),
      "name": .string("python3"),
    ])
    let notebook = Self.object([
      "cells": .list(cells), "metadata": Self.object(["kernelspec": kernel]),
      "nbformat": .number(4),
      "nbformat_minor": .number(5),
    ])
    try AtomicFile.write(Array(notebook.text.utf8), to: url)
  }

  private static func object(_ members: KeyValuePairs<String, JSONDocument>) -> JSONDocument {
    .object(members.map { JSONDocument.Member(key: $0.key, value: $0.value) })
  }

  private mutating func add(_ step: Exercise.Step) {
    let name = step.name
    let text =
      "**\(name)**: \(step.formula), from \(step.from.joined(separator: ", ")). \(step.equation)"
    let begin =
      "def \(name)(\(step.from.joined(separator: ", "))):\n    \"\"\"\(step.formula)\"\"\"\n"
    let blank = "    raise NotImplementedError(\"\(name)\")"
    let names = "[" + step.from.map { "\"\($0)\"" }.joined(separator: ", ") + "]"
    let open = "check(\"\(name)\", \(name), \(names))"
    let numbers = (step.from + [name]).map { "    \"\($0)\": \(literal($0))," }.joined(separator: "\n")
    let hidden = "numbers = {\n\(numbers)\n}\ncheck(\"\(name)\", \(name), \(names), numbers)"
    switch tool {
    case .nbgrader:
      add("markdown", text, id: "text-\(name)")
      let solution = begin + "    ### BEGIN SOLUTION\n\(blank)\n    ### END SOLUTION"
      add("code", solution, id: name, grading: (isSolution: true, points: nil))
      let tests = "\(open)\n### BEGIN HIDDEN TESTS\n\(hidden)\n### END HIDDEN TESTS"
      add("code", tests, id: "test-\(name)", grading: (isSolution: false, points: 1))
    case .otter:
      add("raw", "# BEGIN QUESTION\nname: \(name)\npoints: 2")
      add("markdown", text)
      add("raw", "# BEGIN SOLUTION")
      add("code", begin + "    # BEGIN SOLUTION\n\(blank)\n    # END SOLUTION")
      add("raw", "# END SOLUTION")
      add("raw", "# BEGIN TESTS")
      add("code", Self.configured("points: 1", open))
      add("code", Self.configured("points: 1\nhidden: true", hidden))
      add("raw", "# END TESTS")
      add("raw", "# END QUESTION")
    }
  }

  /// A test of otter-grader, whose settings are a string before it.
  private static func configured(_ settings: String, _ test: String) -> String {
    "\"\"\" # BEGIN TEST CONFIG\n\(settings)\n\"\"\" # END TEST CONFIG\n\(test)"
  }

  /// A hidden tensor in Python; the shortest text of each number is read as the same number.
  private func literal(_ name: String) -> String {
    let numbers = hidden[name].values.map { "\($0)" }.joined(separator: ", ")
    let shape = exercise.shape(name, hidden).map { "\($0), " }.joined()
    return "np.reshape([\(numbers)], (\(shape.dropLast())))"
  }

  private mutating func add(
    _ kind: String, _ source: String, id: String? = nil,
    grading: (isSolution: Bool, points: Int?)? = nil
  ) {
    var cell = Self.object([
      "cell_type": .string(kind), "id": .string(id ?? "cell-\(cells.count)"),
      "metadata": .object([]),
      "source": .string(source),
    ])
    if let grading, let id {
      var metadata = Self.object([
        "grade": .literal("\(!grading.isSolution)"), "grade_id": .string(id),
        "locked": .literal("\(!grading.isSolution)"), "schema_version": .number(3),
        "solution": .literal("\(grading.isSolution)"), "task": .literal("false"),
      ])
      if let points = grading.points { metadata["points"] = .number(points) }
      cell["metadata"] = Self.object(["nbgrader": metadata])
    }
    if kind == "code" {
      cell["outputs"] = .list([])
      cell["execution_count"] = .literal("null")
    }
    cells.append(cell)
  }

  /// Reading of a reference with NumPy alone, and the comparison of one tensor given the reference's own earlier ones.
  private static func support(_ exercise: Exercise) -> String {
    """
    import json
    import struct
    from pathlib import Path

    import numpy as np


    def read(path):
        data = Path(path).read_bytes()
        size = struct.unpack("<Q", data[:8])[0]
        header = json.loads(data[8 : 8 + size])
        tensors = {}
        for name, entry in header.items():
            if name != "__metadata__":
                start, end = (8 + size + offset for offset in entry["data_offsets"])
                tensors[name] = np.frombuffer(data[start:end], "<f8").reshape(entry["shape"])
        return tensors


    def check(name, function, names, hidden=None):
        values = hidden or read("public/check.safetensors")
        found, expected = np.asarray(function(*[values[n].copy() for n in names])), values[name]
        assert found.shape == expected.shape, f"{name}: expected shape {expected.shape}, found {found.shape}"
        text = f"{name}: wrong for other numbers" if hidden else f"{name}: expected {expected}, found {found}"
        assert np.allclose(found, expected, rtol=1e-5, atol=1e-9), text
    """
  }

  /// The folder `public` beside the notebook, which its visible tests read.
  static func writeCheck(of exercise: Exercise, to folder: URL) throws {
    let url = folder.appendingPathComponent("public")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    let values = exercise.instance(.publicCheck, student: Exercise.publicStudent)
    try exercise.writeReference(values, to: url.appendingPathComponent("check.safetensors"))
  }
}
