extension Exercise {
  /// The file for NumPy, with a marked blank per tensor.
  var pythonStarter: String {
    let functions = steps.map { step in
      """
      def \(step.name)(\(step.from.joined(separator: ", "))):
          \"\"\"\(step.formula)    [\(step.equation)]\"\"\"
          # YOUR CODE HERE
          raise NotImplementedError("\(step.name)")
      """
    }
    let table = steps.map { step in
      "    (\"\(step.name)\", \(step.name), [\(step.from.map { "\"\($0)\"" }.joined(separator: ", "))]),"
    }
    return """
      \"\"\"\(title)

      python3 solution.py INPUTS ANSWERS reads INPUTS/NAME.npy and writes ANSWERS/NAME.npy.
      \"\"\"

      import sys
      from pathlib import Path

      import numpy as np


      \(functions.joined(separator: "\n\n\n"))


      STEPS = [
      \(table.joined(separator: "\n"))
      ]


      def main(inputs, answers):
          values = {path.stem: np.load(path) for path in sorted(Path(inputs).glob("*.npy"))}
          Path(answers).mkdir(parents=True, exist_ok=True)
          for name, function, names in STEPS:
              try:
                  values[name] = np.asarray(function(*[values[n] for n in names]))
              except NotImplementedError:
                  print(f"{name}: not written yet")
              except KeyError as missing:
                  print(f"{name}: needs {missing}")
              else:
                  np.save(Path(answers) / f"{name}.npy", values[name])


      if __name__ == "__main__":
          main(*sys.argv[1:])

      """
  }

  /// The file for Swift, with a marked blank per tensor.
  var swiftStarter: String {
    let functions = steps.map { step in
      """
      /// \(step.formula)    [\(step.equation)]
      func \(step.name)(\(step.from.map { "_ \($0): Tensor" }.joined(separator: ", "))) -> Tensor {
        // YOUR CODE HERE
        notWritten("\(step.name)")
      }
      """
    }
    let calls = steps.map { step in
      let arguments = step.from.map { "values[\"\($0)\"]!" }.joined(separator: ", ")
      return "store(\"\(step.name)\", \(step.name)(\(arguments)))"
    }
    return """
      // \(title)
      //
      // swiftc -O Solution.swift -o solution
      // ./solution INPUTS ANSWERS reads INPUTS/NAME.npy and writes ANSWERS/NAME.npy.

      import Foundation

      \(functions.joined(separator: "\n\n"))

      \(Self.swiftSupport)
      var values: [String: Tensor] = [:]
      let inputs = URL(fileURLWithPath: CommandLine.arguments[1])
      let answers = URL(fileURLWithPath: CommandLine.arguments[2])
      try FileManager.default.createDirectory(at: answers, withIntermediateDirectories: true)
      for name in try FileManager.default.contentsOfDirectory(atPath: inputs.path) where name.hasSuffix(".npy") {
        values[String(name.dropLast(4))] = try Tensor(contentsOf: inputs.appendingPathComponent(name))
      }
      func store(_ name: String, _ tensor: Tensor) {
        values[name] = tensor
        try! tensor.write(to: answers.appendingPathComponent("\\(name).npy"))
      }
      \(calls.joined(separator: "\n"))

      """
  }

  /// A tensor that reads and writes the files of the exercise.
  private static let swiftSupport = """
    /// Ends the program at a blank.
    func notWritten(_ name: String) -> Never {
      print("\\(name): not written yet")
      exit(1)
    }

    /// Elements in row-major order: a number has no extents, a vector one, a matrix rows and columns.
    struct Tensor {
      var shape: [Int]
      var values: [Double]

      /// A tensor of zeros.
      init(_ shape: [Int]) { (self.shape, values) = (shape, [Double](repeating: 0, count: shape.reduce(1, *))) }

      /// The element in a row and a column of a matrix.
      subscript(row: Int, column: Int) -> Double {
        get { values[row * shape[1] + column] }
        set { values[row * shape[1] + column] = newValue }
      }

      /// Reads a file of the exercise.
      init(contentsOf url: URL) throws {
        let bytes = [UInt8](try Data(contentsOf: url))
        let start = 10 + Int(bytes[8]) + 256 * Int(bytes[9])
        let header = String(decoding: bytes[10..<start], as: UTF8.self)
        let tuple = header[header.firstIndex(of: "(")!..<header.firstIndex(of: ")")!]
        shape = tuple.split { !$0.isNumber }.map { Int($0)! }
        values = stride(from: start, to: bytes.count, by: 8).map { offset in
          Double(bitPattern: (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[offset + $1]) << UInt64(8 * $1) })
        }
      }

      /// Writes an answer.
      func write(to url: URL) throws {
        let extents = shape.map { "\\($0)," }.joined(separator: " ")
        var header = "{'descr': '<f8', 'fortran_order': False, 'shape': (\\(extents)), }"
        header += String(repeating: " ", count: 63 - (10 + header.utf8.count) % 64) + "\\n"
        var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0]
        bytes += [UInt8(header.utf8.count & 255), UInt8(header.utf8.count >> 8)] + Array(header.utf8)
        for value in values { bytes += (0..<8).map { UInt8(value.bitPattern >> UInt64(8 * $0) & 255) } }
        try Data(bytes).write(to: url)
      }
    }

    """
}
