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
  private var cells: [JSONDocument] = []

  /// The cells of the statement, and of every tensor: the blank, and a test on the public numbers that is seen and one
  /// on the hidden numbers that is not.
  init(_ exercise: Exercise, for tool: Tool) {
    (self.exercise, self.tool) = (exercise, tool)
    if tool == .otter {
      add(
        "raw",
        "# ASSIGNMENT CONFIG\nname: \(exercise.name)\nrequirements: [numpy]\nfiles: [public, hidden]"
      )
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
    let (open, hidden) = (
      "check(\"\(name)\", \(name), \(names))", "check(\"\(name)\", \(name), \(names), \"hidden\")"
    )
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
      add("code", "# BEGIN TEST CONFIG\npoints: 1\n# END TEST CONFIG\n\(open)")
      add("code", "# BEGIN TEST CONFIG\npoints: 1\nhidden: true\n# END TEST CONFIG\n\(hidden)")
      add("raw", "# END TESTS")
      add("raw", "# END QUESTION")
    }
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


    def check(name, function, names, folder="public"):
        values = read(f"{folder}/check.safetensors")
        found = np.asarray(function(*[values[n].copy() for n in names]))
        assert found.shape == values[name].shape, f"{name}: expected shape {values[name].shape}, found {found.shape}"
        assert np.allclose(found, values[name], rtol=1e-5, atol=1e-9), f"{name}: expected {values[name]}, found {found}"
    """
  }

  /// The folders that the tests of the notebook read: `public`, and `hidden` of the hidden numbers.
  static func writeChecks(of exercise: Exercise, hidden: String, to folder: URL) throws {
    for (name, values) in [
      ("public", exercise.instance(.publicCheck, student: Exercise.publicStudent)),
      ("hidden", exercise.instance(.own, student: hidden)),
    ] {
      let url = folder.appendingPathComponent(name)
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
      try exercise.writeReference(values, to: url.appendingPathComponent("check.safetensors"))
    }
  }
}
