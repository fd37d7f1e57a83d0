import Tensor

#if arch(x86_64)
  import Foundation
  import FrugalTestSupport
  import Synchronization
  import Testing

  /// A processor for which the micro-kernel is compiled, and what its machine code must be like.
  private struct Target: CustomTestStringConvertible, Hashable, Sendable {
    let processor: String
    /// The switches that Package.swift sets for it.
    let switches: [String]
    let register: String
    /// One instruction that multiplies and adds, or two.
    let arithmetic: String
    /// Registers a row of a tile, of six rows.
    let width: Int

    var testDescription: String { ([processor] + switches).joined(separator: " ") }

    static let all = [[], ["REAL64"]].flatMap { precision in
      let suffix = precision.isEmpty ? "ps" : "pd"
      return [
        Target(
          processor: "skylake-avx512", switches: ["WIDE_TILE"] + precision, register: "%zmm",
          arithmetic: "vfmadd[0-9]+\(suffix)", width: 4),
        Target(
          processor: "haswell", switches: ["AVX2_TILE"] + precision, register: "%ymm",
          arithmetic: "vfmadd[0-9]+\(suffix)", width: 2),
        Target(
          processor: "x86-64", switches: ["NO_FMA"] + precision, register: "%xmm",
          arithmetic: "add\(suffix)", width: 2),
      ]
    }
  }

  /// The micro-kernel's machine code, as the compiler of this machine writes it.
  private struct MachineCode: Sendable {
    let lines: [Substring]

    /// Compiled once for each target.
    private static let known = Mutex<[Target: MachineCode]>([:])

    static func of(_ target: Target) throws -> MachineCode {
      try known.withLock { known in
        let code = try known[target] ?? MachineCode(for: target)
        known[target] = code
        return code
      }
    }

    private init(for target: Target) throws {
      let process = Process()
      let folder = try TemporaryFolder()
      let output = folder.url.appendingPathComponent("kernel.s")
      process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      process.arguments =
        [
          "swiftc", "-O", "-wmo", "-enable-testing", "-parse-as-library", "-swift-version", "6", "-S", "-module-name",
          "Kernel", "-package-name", "frugal", "-target-cpu", target.processor, "-o", output.path,
        ] + target.switches.flatMap { ["-D", $0] }
        + [
          "MicroKernel", "TileBlocks", "Prefetch", "TransposedHalves", "TransposePiece", "FourColumns", "FewRowsKernel",
          "OneRowKernel", "../Real",
        ].map { Fixtures.package.appendingPathComponent("Sources/Tensor/Kernels/\($0).swift").path }
      try process.run()
      process.waitUntilExit()
      try #require(process.terminationStatus == 0, "swiftc: expected to compile the micro-kernel")
      lines = try String(contentsOf: output, encoding: .utf8).split(separator: "\n")
    }

    /// The instructions between a label and a jump back to it, where no other such loop lies between, in some functions
    /// by their names.
    func innermostLoops(_ isAsked: (Substring) -> Bool) -> [[Substring]] {
      var labels: [Substring: Int] = [:]
      var loops: [Range<Int>] = []
      var isWithin = false
      for (index, line) in lines.enumerated() {
        if line.hasPrefix("$"), let colon = line.firstIndex(of: ":") {
          isWithin = isAsked(line[..<colon])
        } else if line.hasPrefix("."), let colon = line.firstIndex(of: ":") {
          labels[line[..<colon]] = index
        } else if isWithin, let jump = line.wholeMatch(of: /\s+j[a-z]+\s+(\.\S+)/), let start = labels[jump.1] {
          loops.append(start..<index)
        }
      }
      return loops.filter { loop in
        !loops.contains { $0 != loop && loop.lowerBound <= $0.lowerBound && $0.upperBound <= loop.upperBound }
      }.map { loop in lines[loop].filter { $0.hasPrefix("\t") && !$0.hasPrefix("\t.") } }
    }
  }

  /// What the speed of all products rests on, and no other test would notice.
  @Suite struct MicroKernelCodeTests {
    @Test(arguments: Target.all)
    private func tileStaysInRegistersAndIsMultipliedByVectors(_ target: Target) throws {
      let code = try MachineCode.of(target)
      let arithmetic = try Regex("\\t\(target.arithmetic)\\s.*\(target.register)[0-9]+")
      let loops = code.innermostLoops { !$0.contains("FewRows") && !$0.contains("OneRow") }.map { loop in
        (loop, loop.count { $0.contains(arithmetic) })
      }
      // Whole tiles, and those of fewer registers a row, which may take several steps a turn; rows that are neighbours,
      // and others.
      #expect(loops.count { $0.1 == 6 * target.width } >= 2, "loops: \(loops.map(\.1))")
      #expect(loops.count { $0.1 > 0 && $0.1 % 6 == 0 } >= 2 * target.width, "loops: \(loops.map(\.1))")
      // A register that goes to the stack, numbers one by one, a function that multiplies and adds.
      let slow = try Regex(
        "\\tv?mov\\S*\\s+%[xyz]mm[0-9]+, .*\\((%rsp|%rbp)|\\tv?(fmadd[0-9]+|mul|add)s[sd]\\s|\\tcall")
      for (loop, count) in loops where count > 0 {
        #expect(!loop.contains { $0.contains(slow) }, "\(loop.joined(separator: "\n"))")
      }
    }

    /// Few rows: the products of a line of many registers, and those of columns that are transposed in registers by the
    /// 24 shuffles that 64 elements take, some of which the compiler divides.
    @Test(arguments: Target.all.filter { !$0.switches.contains("REAL64") && !$0.switches.contains("NO_FMA") })
    private func fewRowsAreMultipliedByVectors(_ target: Target) throws {
      let code = try MachineCode.of(target)
      func count(_ loop: [Substring], _ pattern: String) throws -> Int {
        let pattern = try Regex(pattern)
        return loop.count { $0.contains(pattern) }
      }
      let multiplyAdd = "\t\(target.arithmetic)\\s"
      // One row: eight registers.
      let few = code.innermostLoops { $0.contains("FewRows") && $0.contains("addLines") }
      let lines = try few.filter { try count($0, multiplyAdd) == 8 }
      #expect(try lines.contains { try count($0, "\tv?mov\\S*\\s+%[xyz]mm[0-9]+, |\tcall") == 0 })
      // Sixteen steps of one to four rows.
      let transposed = code.innermostLoops { $0.contains("FewRows") && $0.contains("addTransposed") }
      for rows in 1...4 {
        let loops = try transposed.filter { try count($0, multiplyAdd) == 16 * rows }
        #expect(loops.count == 1, "\(rows) rows")
        for loop in loops {
          #expect(try count(loop, "\tv(unpck|shuf|perm|insert|blend|movl?hps)") < 64, "\(loop.joined(separator: "\n"))")
          #expect(try count(loop, "\tcall") == 0)
        }
      }
    }

    /// One row: four steps of three groups of eight columns, each transposed by sixteen shuffles for 64 elements, at
    /// strides with and without lag; and a register of columns of eight rows. Nothing in memory but what is multiplied.
    @Test(arguments: Target.all.filter { !$0.switches.contains("REAL64") && !$0.switches.contains("NO_FMA") })
    private func oneRowIsMultipliedByVectors(_ target: Target) throws {
      let code = try MachineCode.of(target)
      func count(_ loop: [Substring], _ pattern: String) throws -> Int {
        let pattern = try Regex(pattern)
        return loop.count { $0.contains(pattern) }
      }
      let loops = code.innermostLoops { $0.contains("OneRow") }
      let transposed = try loops.filter { try count($0, "\tvfmadd[0-9]+ps\\s") == 12 }
      #expect(transposed.count == 2)
      for loop in transposed {
        #expect(try count(loop, "\tv(unpck|shuf|perm|blend)") == 24, "\(loop.joined(separator: "\n"))")
        #expect(try count(loop, "\tcall|%[xy]mm[0-9]+, .*\\((%rsp|%rbp)") == 0, "\(loop.joined(separator: "\n"))")
      }
      let lines = try loops.filter { try count($0, "\t\(target.arithmetic)\\s.*\(target.register)") == 8 }
      #expect(try lines.contains { try count($0, "\tcall|\\(%rsp") == 0 })
    }
  }
#endif
